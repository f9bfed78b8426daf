"""The AI brush: whose region it paints, as how many entries, and when the live loop is notified."""

from typing import Any

import pytest

from core.errors import EditorError
from core.geometry import Rect
from core.paint.layers import AiLayer, Layer
from core.paint.selection import Selection
from core.task import Recipe
from tests.core.tools.driving import context, document, drag

LINE = [(100.0, 100.0), (150.0, 100.0), (200.0, 100.0)]


def _regions(made: Any) -> list[AiLayer]:
    return [node for node in made.root.children if isinstance(node, AiLayer)]


def _value(layer: AiLayer, x: int, y: int) -> int:
    return int(layer.region.read(Rect(x, y, 1, 1))[0, 0, 0])


def test_a_stroke_makes_a_layer_above_the_active_one_in_one_entry() -> None:
    made = document(Layer("below"), Layer("above"))
    made.activate(made.root.children[0].id)
    recipe = Recipe("layered-brush", {"prompt": "a red boat"}, seed=7)
    drag(context(made, "ai-brush", recipe=recipe), "ai-brush", *LINE)
    names = [node.name for node in made.root.children]
    assert names == ["below", "a red boat", "above"]
    (layer,) = _regions(made)
    assert made.active is layer
    assert layer.recipe is recipe
    assert _value(layer, 150, 100) == 255
    assert _value(layer, 150, 160) == 0
    assert [edit.label for edit in made.history.done] == ["AI brush"]


def test_the_next_stroke_makes_another_layer() -> None:
    made = document()
    for _ in range(2):
        drag(context(made, "ai-brush"), "ai-brush", *LINE)
    assert len(_regions(made)) == 2


def test_shift_adds_to_the_region_and_alt_takes_away() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    drag(context(made, "ai-brush"), "ai-brush", (300.0, 250.0), shift=True)
    (layer,) = _regions(made)
    assert _value(layer, 300, 250) == _value(layer, 150, 100) == 255
    drag(context(made, "ai-brush"), "ai-brush", (150.0, 100.0), alt=True)
    (layer,) = _regions(made)
    assert _value(layer, 150, 100) == 0
    assert _value(layer, 300, 250) == 255


def test_shift_without_an_ai_layer_starts_one_and_alt_asks_for_one() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE, shift=True)
    assert len(_regions(made)) == 1
    made = document()
    with pytest.raises(EditorError, match="Choose a diffusion layer first"):
        drag(context(made, "ai-brush"), "ai-brush", *LINE, alt=True)
    assert not made.history.done


@pytest.mark.parametrize("layer", [AiLayer("boat", baked=True), AiLayer("boat", visible=False)])
def test_a_frozen_or_hidden_layer_keeps_its_region(layer: AiLayer) -> None:
    made = document(layer)
    with pytest.raises(EditorError, match="boat is frozen or hidden"):
        drag(context(made, "ai-brush"), "ai-brush", *LINE, shift=True)


def test_a_stroke_outside_the_selection_says_so_and_leaves_no_layer() -> None:
    made = document()
    made.select(Selection(Rect(20, 250, 5, 5)))
    with pytest.raises(EditorError, match="outside the selection"):
        drag(context(made, "ai-brush"), "ai-brush", *LINE)
    assert _regions(made) == []


def test_a_stroke_off_the_canvas_leaves_no_layer() -> None:
    made = document()
    with pytest.raises(EditorError, match="off the canvas"):
        drag(context(made, "ai-brush"), "ai-brush", (-200.0, 100.0), (-180.0, 150.0))
    assert not _regions(made)
    assert not made.history.done


def test_the_live_loop_is_notified_at_pauses_and_after_the_release() -> None:
    made = document()
    received: list[tuple[str, bool]] = []
    given = context(
        made, "ai-brush", stroked=lambda layer: received.append((layer, made.is_editing))
    )
    drag(given, "ai-brush", *[(100.0 + 10 * n, 100.0) for n in range(8)])
    (layer,) = _regions(made)
    assert {name for name, _ in received} == {layer.id}
    assert [is_editing for _, is_editing in received] == [True, True, False]


def test_a_cancelled_stroke_notifies_nobody_and_takes_its_layer_along() -> None:
    made = document()
    received: list[str] = []
    gesture = drag(
        context(made, "ai-brush", stroked=received.append), "ai-brush", *LINE, finish=False
    )
    assert len(_regions(made)) == 1
    gesture.close()
    assert not _regions(made)
    assert not received


def test_pressure_does_not_thin_a_region() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE, pressure=0.2)
    (layer,) = _regions(made)
    assert _value(layer, 150, 130) == 255
