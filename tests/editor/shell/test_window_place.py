"""Places of windows: kept by screen, always inside of it, and read from any text."""

from typing import Any

import pytest
from PySide6.QtCore import QByteArray, QRect, QSize

from editor.shell.window_place import (
    MAX_SCREENS,
    WindowPlace,
    first_rect,
    fit_rect,
    read_place,
    with_place,
)

SCREEN = QRect(100, 50, 960, 510)


@pytest.mark.parametrize(
    ("rect", "expected"),
    [
        (QRect(150, 60, 800, 400), QRect(150, 60, 800, 400)),
        (QRect(0, 0, 1280, 800), SCREEN),
        (QRect(5000, -4000, 500, 300), QRect(560, 50, 500, 300)),
        (QRect(-5000, 4000, 500, 300), QRect(100, 260, 500, 300)),
    ],
)
def test_a_window_is_moved_and_shrunk_into_its_screen(rect: QRect, expected: QRect) -> None:
    assert fit_rect(rect, SCREEN) == expected


def test_the_first_window_is_in_the_middle_or_as_large_as_fits() -> None:
    large = QRect(0, 0, 2560, 1400)
    assert first_rect(QSize(1280, 800), large).size() == QSize(1280, 800)
    small = first_rect(QSize(1280, 800), SCREEN)
    assert SCREEN.contains(small)
    assert small.y() >= SCREEN.y() + 30, "there is room for the title"


def test_a_place_survives_its_text() -> None:
    place = WindowPlace(QRect(-20, 7, 900, 600), True, QByteArray(b"docks"), True, {"ai": 300}, 280)
    assert read_place(place.to_json()) == place


def test_the_last_screen_comes_last_and_old_ones_go() -> None:
    places: Any = {}
    for number in [*range(20), 15]:
        places = with_place(places, f"screen {number}", WindowPlace())
    assert list(places)[-1] == "screen 15"
    assert len(places) == MAX_SCREENS


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"x": "left", "y": 0, "width": 5, "height": 5},
        {"x": 1e999, "y": 0, "width": 5, "height": 5},
        {"x": float("nan"), "y": 0, "width": 5, "height": 5},
        {"x": 0, "y": 0, "width": -5, "height": 5},
        {"x": 0, "y": 0, "width": 0, "height": 0},
        {"x": 10**400, "y": 0, "width": 5, "height": 5},
        {"x": True, "y": 0, "width": 5, "height": 5},
        {"x": [0], "y": {}, "width": None, "height": 5},
        {"rows": [1, 2], "docks": 7, "maximised": "yes", "rearranged": 1, "dock_width": -4},
        {"rows": {"ai": "high", "layers": -3, "jobs": None}, "docks": None},
    ],
)
def test_odd_text_is_no_place(odd: dict[str, Any]) -> None:
    place = read_place(odd)
    assert place.rect.isEmpty()
    assert place == WindowPlace(place.rect)


@pytest.mark.parametrize("docks", ["\u00e9\u20ac", "\ud800", "not base 64", "AAAA/wAAAAD9"])
def test_odd_text_of_docks_is_bytes(docks: str) -> None:
    assert isinstance(read_place({"docks": docks}).docks, QByteArray)
