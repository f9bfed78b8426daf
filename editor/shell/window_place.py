"""Where the window stood on which screen, and how its docks stood, as the settings keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from PySide6.QtGui import QScreen
    from PySide6.QtWidgets import QMainWindow

    from editor.shell.dock_layout import DockLayout

MAX_SCREENS = 8
"""Screens that are remembered."""
FRAME = QSize(8, 40)
"""Room for the frame of a window, in logical pixels, before its true size is known."""
SIDES = ("x", "y", "width", "height")


@dataclass(frozen=True)
class WindowPlace:
    """Place and docks of a window on one screen; ``rect`` is empty where none is known.

    ``rows`` are heights of docks by name that a person gave them, ``dock_width`` is the width of
    all, 0 where none is known.
    """

    rect: QRect = field(default_factory=QRect)
    is_maximised: bool = False
    docks: QByteArray = field(default_factory=QByteArray)
    is_rearranged: bool = False
    rows: Mapping[str, int] = field(default_factory=dict)
    dock_width: int = 0

    def to_json(self) -> dict[str, Any]:
        sides = (self.rect.x(), self.rect.y(), self.rect.width(), self.rect.height())
        return {
            **dict(zip(SIDES, sides, strict=True)),
            "maximised": self.is_maximised,
            "docks": bytes(self.docks.toBase64().data()).decode("ascii"),
            "rearranged": self.is_rearranged,
            "rows": dict(self.rows),
            "dock_width": self.dock_width,
        }


def read_place(data: Mapping[str, Any]) -> WindowPlace:
    """What settings say about one screen; what makes no sense is left out."""
    sides = [_read_pixels(data.get(side)) for side in SIDES]
    x, y, width, height = (0 if side is None else side for side in sides)
    is_known = None not in sides and width > 0 and height > 0
    docks, rows = data.get("docks"), data.get("rows")
    found = {
        name: pixels
        for name, height in (rows.items() if isinstance(rows, dict) else ())
        if (pixels := _read_pixels(height)) is not None and pixels > 0
    }
    return WindowPlace(
        QRect(x, y, width, height) if is_known else QRect(),
        data.get("maximised") is True,
        _read_bytes(docks) if isinstance(docks, str) else QByteArray(),
        data.get("rearranged") is True,
        found,
        max(0, _read_pixels(data.get("dock_width")) or 0),
    )


def screen_key(screen: "QScreen") -> str:
    """A screen by name, size and scale: another scale needs another place."""
    size = screen.size()
    return f"{screen.name()} {size.width()}x{size.height()} x{screen.devicePixelRatio():g}"


def with_place(
    places: Mapping[str, Mapping[str, Any]], key: str, place: WindowPlace
) -> dict[str, Mapping[str, Any]]:
    """The places with that on one screen, which is the last one used, at their end."""
    others = {name: data for name, data in places.items() if name != key}
    kept = list(others.items())[-(MAX_SCREENS - 1) :]
    return {**dict(kept), key: place.to_json()}


def fit_rect(rect: QRect, available: QRect) -> QRect:
    """The rectangle made small enough for the available one, and moved inside it."""
    width, height = min(rect.width(), available.width()), min(rect.height(), available.height())
    x = min(max(rect.x(), available.x()), available.x() + available.width() - width)
    y = min(max(rect.y(), available.y()), available.y() + available.height() - height)
    return QRect(x, y, width, height)


def first_rect(size: QSize, available: QRect) -> QRect:
    """A window of a size in the middle of a screen, with its frame, or as large as fits."""
    room = available.adjusted(FRAME.width() // 2, FRAME.height(), -FRAME.width() // 2, 0)
    rect = QRect(room.topLeft(), size)
    rect.moveCenter(room.center())
    return fit_rect(rect, room)


def place_of(window: "QMainWindow", docks: "DockLayout") -> WindowPlace:
    """Where a window and its docks are."""
    is_maximised = bool(window.windowState() & Qt.WindowState.WindowMaximized)
    normal = window.normalGeometry()
    rect = normal if normal.isValid() else window.geometry()
    return WindowPlace(
        rect, is_maximised, docks.state, docks.is_rearranged, docks.rows, docks.width
    )


def restore_place(
    window: "QMainWindow", docks: "DockLayout", known: Mapping[str, Mapping[str, Any]]
) -> str:
    """Put a window where it stood last on a screen that is there now.

    Returns a sentence for the person when docks could not be put where they were.
    """
    screens = {screen_key(screen): screen for screen in QGuiApplication.screens()}
    key = next((key for key in reversed(list(known)) if key in screens), None)
    if key is None:
        return ""
    place = read_place(known[key])
    if not place.rect.isEmpty():
        stand(window, docks, fit_rect(place.rect, screens[key].availableGeometry()))
    if place.is_maximised:
        window.setWindowState(Qt.WindowState.WindowMaximized)
    docks.rows = dict(place.rows)
    docks.width = place.dock_width or docks.width
    if docks.restore(place.docks):
        docks.is_rearranged = place.is_rearranged
        return ""
    is_known = bool(known[key].get("docks"))
    return "The places of the docks could not be read: they are as at first." if is_known else ""


def stand(window: "QMainWindow", docks: "DockLayout", rect: QRect) -> None:
    """Give a window a place; docks that are all rows would keep it from being so low."""
    docks.stack(rect.height())
    window.setGeometry(rect)


def fit_frame(window: "QMainWindow") -> None:
    """Keep a window's frame on the screen too, once its size is known."""
    if window.windowState() & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
        return
    inner, outer = window.geometry(), window.frameGeometry()
    fitting = fit_rect(outer, window.screen().availableGeometry())
    if fitting != outer:
        size = inner.size() + fitting.size() - outer.size()
        window.setGeometry(QRect(fitting.topLeft() + inner.topLeft() - outer.topLeft(), size))


def _read_pixels(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if abs(value) < 2**20 else None


def _read_bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(text.encode("ascii", "ignore"))
