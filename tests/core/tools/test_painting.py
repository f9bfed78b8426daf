"""Brush and eraser: where paint goes, and the sentence where it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import EditorError
from core.geometry import Rect
from core.paint.layers import AiLayer, Group, Layer, Mask, Node
from core.paint.tiles import Tiles
from core.tools.brush import BrushTool
from tests.core.tools.driving import context, document, drag

WHOLE = Rect(0, 0, 400, 300)


def _alpha(layer: Node | None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert isinstance(layer, Layer)
    return layer.tiles.read(WHOLE)[..., 3]


def test_a_line_is_as_wide_as_the_brush() -> None:
    made = document()
    drag(context(made, "brush"), "brush", (50, 100), (200, 100))
    alpha = _alpha(made.active)
    assert (alpha[90:110, 60:190] > 250).all()
    assert not alpha[:88].any()
    assert not alpha[112:].any()
    assert not alpha[:, :38].any()


def test_strokes_have_the_chosen_colour_and_opacity() -> None:
    made = document()
    given = context(made, "brush", params=BrushTool.Params(opacity=50))
    drag(given, "brush", (50, 100), (200, 100))
    assert isinstance(made.active, Layer)
    assert made.active.tiles.read(Rect(100, 100, 1, 1))[0, 0].tolist() == [100, 15, 30, 128]


def test_the_eraser_takes_away() -> None:
    made = document(Layer("ink", tiles=Tiles.of(np.full((300, 400, 4), 255, np.uint8))))
    drag(context(made, "eraser"), "eraser", (50, 100), (200, 100))
    alpha = _alpha(made.active)
    assert not alpha[92:108, 60:190].any()
    assert (alpha[115:] == 255).all()


def test_pressure_of_nothing_leaves_nothing() -> None:
    made = document()
    drag(context(made, "brush"), "brush", (50, 100), (200, 100), pressure=0.0)
    assert not made.history.done


@pytest.mark.parametrize("tool", ["brush", "eraser"])
@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (Layer("ink", visible=False), "ink cannot be painted on: it is hidden, show it first."),
        (Group("things"), "things cannot be painted on: it is a group"),
    ],
)
def test_what_cannot_be_painted_on_says_why(tool: str, node: Node, reason: str) -> None:
    made = document(node)
    with pytest.raises(EditorError, match=reason):
        drag(context(made, tool), tool, (50, 100))
    assert not made.history.done


def test_without_a_layer_it_says_how_to_make_one() -> None:
    made = document()
    made.activate("")
    with pytest.raises(EditorError, match=r"add one with Ctrl\+Shift\+N"):
        drag(context(made, "brush"), "brush", (50, 100))


def _mask_value(node: Node | None, x: int, y: int) -> int:
    assert node is not None
    assert node.mask is not None
    return int(node.mask.tiles.read(Rect(x, y, 1, 1))[0, 0, 0])


@pytest.mark.parametrize("node", [Layer("ink"), AiLayer("boat"), Group("things")])
def test_a_chosen_mask_takes_the_grey_of_the_colour_on_every_kind_of_layer(node: Node) -> None:
    made = document(replace(node, mask=Mask()))
    made.choose_plane(node.id, "mask")
    black, grey = (0, 0, 0, 255), (128, 128, 128, 255)
    drag(context(made, "brush", colour=black), "brush", (50, 100), (200, 100))
    assert _mask_value(made.active, 100, 100) == 0
    assert _mask_value(made.active, 100, 150) == 255
    drag(context(made, "brush", colour=grey), "brush", (50, 100), (200, 100))
    assert _mask_value(made.active, 100, 100) == 128
    drag(context(made, "eraser"), "eraser", (50, 100), (200, 100))
    assert _mask_value(made.active, 100, 100) == 0
    made.undo()
    assert _mask_value(made.active, 100, 100) == 128
    if isinstance(made.active, Layer):
        assert not made.active.tiles.bounds, "the pixels stay as they were"


def test_a_mask_that_is_off_is_not_painted_unseen() -> None:
    made = document(Layer("ink", mask=Mask(visible=False)))
    made.choose_plane(made.state.active, "mask")
    with pytest.raises(EditorError, match="its mask is off"):
        drag(context(made, "brush"), "brush", (50, 100))


def test_another_layer_or_no_mask_means_pixels_again() -> None:
    made = document(Layer("one", mask=Mask()), Layer("two"))
    one, two = made.root.children
    made.choose_plane(one.id, "mask")
    assert made.active_plane == "mask"
    made.activate(two.id)
    assert made.active_plane == "pixels"
    made.choose_plane(one.id, "mask")
    made.replace("Remove mask", replace(one, mask=None))
    assert made.active_plane == "pixels"


def test_ink_on_an_ai_layer_goes_to_a_new_layer_above_in_one_entry() -> None:
    made, said = document(AiLayer("boat"), Layer("above")), list[str]()
    boat = made.root.children[0]
    made.activate(boat.id)
    given = context(made, "brush", told=said.append)
    drag(given, "brush", (50, 100), (200, 100))
    assert [node.name for node in made.root.children] == ["boat", "Layer 3", "above"]
    assert _alpha(made.active)[100, 100] == 255
    assert made.root.children[0] is boat
    assert said == ["Ink on an AI layer goes to a new layer above it."]
    drag(context(made, "brush"), "brush", (50, 200), (200, 200))
    assert len(made.root.children) == 3, "the next stroke goes on there"
    made.undo()
    made.undo()
    assert [node.name for node in made.root.children] == ["boat", "above"]


def test_ink_beside_the_canvas_leaves_no_layer_behind() -> None:
    made = document(AiLayer("boat"))
    drag(context(made, "brush"), "brush", (-200, 100), (-180, 100))
    assert len(made.root.children) == 1
    assert not made.history.done


def test_the_eraser_hides_an_ai_layer_through_its_mask() -> None:
    made = document(AiLayer("boat"))
    drag(context(made, "eraser"), "eraser", (50, 100), (200, 100))
    assert _mask_value(made.active, 100, 100) == 0
    assert _mask_value(made.active, 100, 150) == 255
    assert made.undo() == "Erase"
    assert made.active is not None
    assert made.active.mask is None


def test_a_chosen_region_is_painted_and_runs() -> None:
    made, ran = document(AiLayer("boat")), list[str]()
    made.choose_plane(made.state.active, "region")
    given = context(made, "brush", colour=(255, 255, 255, 255), stroked=ran.append)
    drag(given, "brush", (50, 100), (200, 100))
    assert isinstance(made.active, AiLayer)
    assert made.active.region.read(Rect(100, 100, 1, 1))[0, 0, 0] == 255
    assert ran == [made.active.id]
