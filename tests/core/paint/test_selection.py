"""Selections: soft masks with bounds, and the algebra on them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.geometry import Rect, Size
from core.paint.selection import EMPTY_SELECTION, Selection
from core.paint.tiles import Pixels

CANVAS = Size(120, 90)
WHOLE = Rect.of(CANVAS)
RECT = st.builds(
    lambda x, y, w, h: Rect(x, y, w, h) & WHOLE,
    st.integers(-20, 110), st.integers(-20, 80), st.integers(1, 60), st.integers(1, 60),
)  # fmt: skip


def dense(selection: Selection) -> Pixels:
    return selection.read(WHOLE)


@given(RECT, RECT)
def test_the_algebra_is_that_of_the_alphas(a: Rect, b: Rect) -> None:
    first, second = Selection(a), Selection(b)
    x, y = dense(first), dense(second)
    assert np.array_equal(dense(first.unite(second)), np.maximum(x, y))
    assert np.array_equal(dense(first.intersect(second)), np.minimum(x, y))
    assert np.array_equal(dense(first.subtract(second)), np.minimum(x, 255 - y))
    assert np.array_equal(dense(first.invert(CANVAS)), 255 - x)


@given(RECT)
def test_bounds_are_tight_after_taking_away(rect: Rect) -> None:
    left = Selection(WHOLE).subtract(Selection(rect))
    if left:
        inside = left.read(left.bounds)
        assert inside[0].any() or inside[-1].any()
    assert not Selection(rect).subtract(Selection(rect))


def test_a_polygon_is_filled_with_soft_edges_and_cut_to_the_canvas() -> None:
    triangle = Selection.polygon([(10, 10), (90, 20), (40, 400)], CANVAS)
    assert (WHOLE & triangle.bounds) == triangle.bounds
    alpha = dense(triangle)
    assert alpha[40, 45] == 255
    assert alpha[5, 5] == 0
    assert ((alpha > 0) & (alpha < 255)).any()
    square = dense(Selection.polygon([(20, 20), (40, 20), (40, 40), (20, 40)], CANVAS))
    assert abs(int(square.astype(int).sum()) / 255 - 400) < 45


def test_two_points_or_a_place_off_the_canvas_select_nothing() -> None:
    assert not Selection.polygon([(1, 1), (5, 5)], CANVAS)
    assert not Selection.polygon([(500, 500), (600, 500), (550, 600)], CANVAS)


def test_feathering_softens_and_keeps_the_middle() -> None:
    soft = Selection(Rect(30, 30, 40, 40)).feather(8, CANVAS)
    alpha = dense(soft)
    assert alpha[50, 50] == 255
    assert 100 < alpha[30, 50] < 155
    assert alpha[20, 50] < 10
    assert soft.feather(0, CANVAS) is soft


def test_growing_and_shrinking() -> None:
    box = Selection(Rect(30, 30, 20, 20))
    assert box.grow(5, CANVAS).bounds == Rect(25, 25, 30, 30)
    assert box.grow(-5, CANVAS).bounds == Rect(35, 35, 10, 10)
    assert not box.grow(-11, CANVAS)
    assert Selection(WHOLE).grow(9, CANVAS).bounds == WHOLE
    assert box.grow(0, CANVAS) is box


def test_nothing_selected_inverts_to_everything() -> None:
    assert EMPTY_SELECTION.invert(CANVAS).bounds == WHOLE
    assert not EMPTY_SELECTION.feather(5, CANVAS)
    assert not dense(EMPTY_SELECTION).any()
