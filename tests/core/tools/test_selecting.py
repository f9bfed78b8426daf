"""Rectangle and lasso: the shape, the keys that join it to what is selected, and the sketch."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.geometry import Rect
from core.paint.document import Document
from tests.core.tools.driving import context, document, drag

if TYPE_CHECKING:
    from core.paint.selection import Selection

FIRST, SECOND = Rect(10, 10, 100, 80), Rect(60, 40, 100, 100)
WHOLE = Rect(0, 0, 400, 300)


def _inside(rect: Rect) -> np.ndarray[Any, np.dtype[np.bool_]]:
    found = np.zeros((300, 400), bool)
    found[rect.slices] = True
    return found


def _draw(made: Document, rect: Rect, **keys: Any) -> None:
    given = context(made, "rectangle-select")
    drag(given, "rectangle-select", (rect.right, rect.y), (rect.x, rect.bottom), **keys)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, _inside(SECOND)),
        ({"shift": True}, _inside(FIRST) | _inside(SECOND)),
        ({"alt": True}, _inside(FIRST) & ~_inside(SECOND)),
        ({"control": True}, _inside(FIRST) & _inside(SECOND)),
    ],
)
def test_a_second_rectangle_joins_the_first_by_the_keys(
    keys: dict[str, bool], expected: np.ndarray[Any, np.dtype[np.bool_]]
) -> None:
    made = document()
    _draw(made, FIRST)
    _draw(made, SECOND, **keys)
    assert np.array_equal(made.selection.read(WHOLE), expected * np.uint8(255))
    assert [edit.label for edit in made.history.done] == ["Select", "Select"]


def test_a_click_deselects_and_a_click_on_nothing_selected_is_no_entry() -> None:
    made = document()
    _draw(made, FIRST)
    drag(context(made, "rectangle-select"), "rectangle-select", (5, 5))
    assert not made.selection
    entries = len(made.history.done)
    drag(context(made, "rectangle-select"), "rectangle-select", (5, 5))
    assert len(made.history.done) == entries


def test_a_rectangle_is_cut_to_the_canvas() -> None:
    made = document()
    _draw(made, Rect(-50, 250, 100, 100))
    assert made.selection.bounds == Rect(0, 250, 50, 50)


def test_a_lasso_selects_the_area_it_runs_round() -> None:
    made = document()
    turns = np.linspace(0, 2 * np.pi, 90)
    circle = [(200 + 80 * float(np.cos(t)), 150 + 80 * float(np.sin(t))) for t in turns]
    drag(context(made, "lasso-select"), "lasso-select", *circle)
    area = made.selection.read(WHOLE).sum() / 255
    # The antialiased edge reaches half a pixel out.
    assert area == pytest.approx(np.pi * 80.5 * 80.5, rel=0.01)
    assert made.selection.read(Rect(200, 150, 1, 1))[0, 0] == 255


@pytest.mark.parametrize("tool", ["rectangle-select", "lasso-select"])
def test_the_outline_is_sketched_and_nothing_is_selected_before_the_release(tool: str) -> None:
    made = document()
    sketches: list[list[tuple[float, float]]] = []
    given = context(made, tool, sketched=lambda corners: sketches.append(list(corners)))
    selected: list[Selection] = []
    made.selected.connect(selected.append)
    gesture = drag(given, tool, (10, 10), (90, 20), (60, 70), finish=False)
    assert (60, 70) in sketches[-1]
    assert not selected
    gesture.close()
    assert not selected
