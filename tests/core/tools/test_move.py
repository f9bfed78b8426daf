"""Moving layers and groups."""

import pytest

from core.errors import EditorError
from core.geometry import Point
from core.paint.layers import Group, Layer
from tests.core.tools.driving import context, document, drag


def test_a_layer_follows_the_pointer_in_whole_pixels_as_one_entry() -> None:
    made = document(Layer("ink", position=Point(5, 5)))
    drag(context(made, "move"), "move", (10.4, 10.4), (20.0, 20.0), (33.0, 4.0))
    assert isinstance(made.active, Layer)
    assert made.active.position == Point(28, -1)
    assert len(made.history.done) == 1


def test_shift_keeps_to_the_longer_direction() -> None:
    made = document()
    drag(context(made, "move"), "move", (10, 10), (60, 30), shift=True)
    assert isinstance(made.active, Layer)
    assert made.active.position == Point(50, 0)


def test_a_group_takes_all_its_layers_along() -> None:
    inner = Group("inner", children=(Layer("a"), Layer("b", position=Point(9, 9))))
    made = document(Group("outer", children=(inner, Layer("c"))))
    drag(context(made, "move"), "move", (0, 0), (7, 3))
    outer = made.active
    assert isinstance(outer, Group)
    found = [layer.position for layer in _layers(outer)]
    assert found == [Point(7, 3), Point(16, 12), Point(7, 3)]


def _layers(group: Group) -> list[Layer]:
    from core.paint.layers import walk

    return [node for node in walk(group) if isinstance(node, Layer)]


def test_without_a_layer_it_says_what_to_do() -> None:
    made = document()
    made.activate("")
    with pytest.raises(EditorError, match="Choose the layer to move"):
        drag(context(made, "move"), "move", (0, 0))
