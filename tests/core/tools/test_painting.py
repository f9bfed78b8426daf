"""Brush and eraser: where paint goes, and the sentence where it cannot."""

import numpy as np
import pytest

from core.errors import EditorError
from core.geometry import Rect
from core.paint.layers import AiLayer, Group, Layer, Node
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
        (AiLayer("boat"), "boat cannot be painted on: it is a diffusion layer"),
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
