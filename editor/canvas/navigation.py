"""Moving the view with keys and pointer: drag with Space or the middle button, turn with R."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from editor.canvas.canvas import Canvas

TAP = 15.0
"""Degrees that R turns when it is tapped and nothing is dragged."""


class Navigation:
    """Takes the pointer from the tools while Space, R or the middle button is held."""

    def __init__(self, canvas: "Canvas") -> None:
        self._canvas = canvas
        self._held_key: Qt.Key | None = None
        self._was_used = False
        self._pan: QPointF | None = None
        self._turn: tuple[float, float] | None = None

    @property
    def is_dragging(self) -> bool:
        return self._pan is not None or self._turn is not None

    @property
    def is_ready(self) -> bool:
        """Whether the next press moves the view whatever the tool."""
        return self._held_key is not None or self.is_dragging

    def is_view_key(self, event: "QKeyEvent") -> bool:
        """Whether a key moves the view while the canvas has the focus, and belongs to no menu."""
        keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        plain = keys == Qt.KeyboardModifier.NoModifier
        return plain and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_R)

    def press_key(self, event: "QKeyEvent") -> bool:
        """Take the press of a key; True when it moves the view."""
        if not self.is_view_key(event):
            return False
        if not event.isAutoRepeat():
            self._held_key, self._was_used = Qt.Key(event.key()), False
        return True

    def release_key(self, event: "QKeyEvent") -> bool:
        """Take the release of a key; True when it moves the view."""
        if self._held_key is None or event.key() != self._held_key:
            return False
        if not event.isAutoRepeat():
            is_tap = self._held_key is Qt.Key.Key_R and not self._was_used
            self._held_key = None
            if is_tap:
                self._canvas.turn_by(TAP)
        return True

    def forget_keys(self) -> None:
        """Forget a held key when the focus is lost, as its release would not arrive here."""
        self._held_key = None

    def press(self, at: QPointF, button: Qt.MouseButton) -> bool:
        """True when a drag of the view began."""
        by_middle = button == Qt.MouseButton.MiddleButton
        if not (by_middle or (self._held_key and button == Qt.MouseButton.LeftButton)):
            return False
        self._was_used = True
        if self._held_key is Qt.Key.Key_R and not by_middle:
            self._turn = (self._canvas.view.angle, self._bearing(at))
        else:
            self._pan = at
        return True

    def move(self, at: QPointF) -> bool:
        """True when the view followed the pointer."""
        view = self._canvas.view
        if self._pan is not None:
            step, self._pan = at - self._pan, at
            self._canvas.set_view(view.pan(step.x(), step.y()))
        elif self._turn is not None:
            angle, bearing = self._turn
            middle = self._canvas.width() / 2, self._canvas.height() / 2
            self._canvas.set_view(view.rotate_at(angle + self._bearing(at) - bearing, *middle))
        return self.is_dragging

    def release(self) -> bool:
        """True when a drag of the view ended."""
        was_dragging = self.is_dragging
        self._pan = self._turn = None
        return was_dragging

    def _bearing(self, at: QPointF) -> float:
        """The direction from the middle of the window, in degrees."""
        x, y = self._canvas.width() / 2, self._canvas.height() / 2
        return math.degrees(math.atan2(at.y() - y, at.x() - x))
