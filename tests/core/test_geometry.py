"""Rectangles: the arithmetic that everything on the canvas is cut by."""

from hypothesis import given
from hypothesis import strategies as st

from core.geometry import EMPTY, Point, Rect, Size

NUMBER = st.integers(-300, 300)
SIDE = st.integers(0, 300)
RECT = st.builds(Rect, NUMBER, NUMBER, SIDE, SIDE)


def cells(rect: Rect) -> set[tuple[int, int]]:
    xs = {rect.x, rect.right - 1, rect.x + rect.width // 2} if rect else set()
    ys = {rect.y, rect.bottom - 1, rect.y + rect.height // 2} if rect else set()
    return {(x, y) for x in xs for y in ys}


def holds(rect: Rect, x: int, y: int) -> bool:
    return rect.x <= x < rect.right and rect.y <= y < rect.bottom


@given(RECT, RECT)
def test_intersection_is_what_both_hold(first: Rect, second: Rect) -> None:
    both = first & second
    assert both == second & first or not both
    for x, y in cells(first) | cells(second):
        assert holds(both, x, y) == (holds(first, x, y) and holds(second, x, y))


@given(RECT, RECT)
def test_union_holds_both_and_empty_adds_nothing(first: Rect, second: Rect) -> None:
    whole = first | second
    assert not first or (whole & first) == first
    assert not second or (whole & second) == second
    assert first | EMPTY == (first if first else EMPTY)


@given(RECT, st.integers(1, 64))
def test_snapped_is_around_and_on_the_grid(rect: Rect, step: int) -> None:
    snapped = rect.snap(step)
    assert not rect or (snapped & rect) == rect
    assert [edge % step for edge in (snapped.x, snapped.y, snapped.right, snapped.bottom)] == [
        0
    ] * 4
    assert snapped.width - rect.width < 2 * step


@given(RECT, NUMBER, NUMBER)
def test_moving_there_and_back(rect: Rect, dx: int, dy: int) -> None:
    assert rect.translate(dx, dy).translate(-dx, -dy) == rect
    assert Point(3, 4).translate(dx, dy) == (3 + dx, 4 + dy)


def test_padding_can_eat_a_rectangle_up() -> None:
    assert Rect(0, 0, 10, 10).pad(3) == Rect(-3, -3, 16, 16)
    assert not Rect(0, 0, 10, 10).pad(-6)
    assert Rect.of(Size(4, 5)) == Rect(0, 0, 4, 5)
    assert Rect.union([]) == EMPTY
    assert Rect(2, 3, 4, 5).area == 20
    assert Rect(2, 3, 4, 5).slices == (slice(3, 8), slice(2, 6))
