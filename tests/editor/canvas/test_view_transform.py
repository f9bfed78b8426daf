"""The view as plain arithmetic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.geometry import Rect, Size
from editor.canvas.view_transform import (
    MAX_ZOOM,
    MIN_ZOOM,
    STOPS,
    ViewTransform,
    centre_view,
    fit_view,
    next_stop,
)

views = st.builds(
    ViewTransform,
    st.floats(MIN_ZOOM, MAX_ZOOM),
    st.floats(-5000, 5000),
    st.floats(-5000, 5000),
    st.floats(-180, 180),
)
places = st.floats(-4000, 4000)


@given(views, places, places)
def test_there_and_back_is_where_one_was(view: ViewTransform, x: float, y: float) -> None:
    back = view.to_document(*view.to_screen(x, y))
    assert back == pytest.approx((x, y), abs=1e-4)


@given(views, places, places, st.floats(0.001, 100))
def test_zooming_holds_the_point_under_the_pointer(
    view: ViewTransform, x: float, y: float, zoom: float
) -> None:
    held = view.to_document(x, y)
    after = view.zoom_at(zoom, x, y)
    assert after.to_screen(*held) == pytest.approx((x, y), abs=1e-3)
    assert after.zoom == pytest.approx(min(MAX_ZOOM, max(MIN_ZOOM, zoom)))
    assert after.angle == view.angle


@given(views, places, places, st.floats(-720, 720))
def test_turning_holds_the_point_under_the_pointer(
    view: ViewTransform, x: float, y: float, angle: float
) -> None:
    held = view.to_document(x, y)
    after = view.rotate_at(angle, x, y)
    assert after.to_screen(*held) == pytest.approx((x, y), abs=1e-3)
    assert -180 <= after.angle < 180
    assert math.cos(math.radians(after.angle)) == pytest.approx(
        math.cos(math.radians(angle)), abs=1e-9
    )


@given(views, st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 900))
def test_the_visible_rectangle_covers_the_window(
    view: ViewTransform, x: int, y: int, side: int
) -> None:
    moved = view.pan(x, y)
    visible = moved.visible_rect(side, side)
    for corner in ((0, 0), (side, 0), (0, side), (side, side)):
        across, down = moved.to_document(*corner)
        assert visible.x - 1e-6 <= across <= visible.right + 1e-6
        assert visible.y - 1e-6 <= down <= visible.bottom + 1e-6


def test_a_quarter_turn_is_clockwise_on_the_screen() -> None:
    view = ViewTransform(zoom=2, x=10, y=20, angle=90)
    assert view.to_screen(3, 0) == pytest.approx((10, 26))
    assert view.to_screen(0, 3) == pytest.approx((4, 20))
    assert view.bounds_on_screen(Rect(0, 0, 3, 1)) == pytest.approx((8, 20, 10, 26))


@pytest.mark.parametrize(
    "size", [Size(10, 10), Size(4096, 100), Size(101, 9000), Size(16384, 16384)]
)
def test_fitting_shows_the_whole_canvas_in_the_middle(size: Size) -> None:
    view = fit_view(size, 800, 600)
    left, top, right, bottom = view.bounds_on_screen(Rect.of(size))
    assert left >= 0
    assert top >= 0
    assert left == pytest.approx(800 - right)
    assert top == pytest.approx(600 - bottom)
    assert view.zoom <= 1
    assert view.angle == 0


def test_a_window_without_room_still_has_a_view() -> None:
    assert fit_view(Size(100, 100), 0, 0).zoom >= MIN_ZOOM
    assert centre_view(Size(100, 50), 300, 200, 2.0) == ViewTransform(2.0, 50, 50)


def test_stops_lead_from_end_to_end() -> None:
    view, met = ViewTransform(MIN_ZOOM), [MIN_ZOOM]
    while (after := next_stop(view.zoom, 1)) != view.zoom:
        view = ViewTransform(after)
        met.append(after)
    assert met == list(STOPS)
    assert next_stop(0.7, 1) == 1
    assert next_stop(0.7, -1) == pytest.approx(2 / 3)
    assert next_stop(1.0, 2) == 2
