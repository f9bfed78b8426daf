"""A slider for a number: drag, type, scroll, or double-click for its default."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QRegularExpression, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegularExpressionValidator,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from core.params import Range
from editor.widgets.entry import ENTER_KEYS, EntryField

if TYPE_CHECKING:
    from PySide6.QtCore import QSize
    from PySide6.QtGui import QFocusEvent

FINE_FACTOR = 0.1
NUMBER = QRegularExpression(r"\s*-?\d*[.,]?\d*\s*")
"""Numbers of every language: with a point, or with a comma."""


class NumberSlider(QWidget):
    """Label, bar and value in one line; Shift makes every way of changing it finer.

    ``changed`` carries the value while it moves, ``settled`` when it is released.
    """

    changed = Signal(float)
    settled = Signal(float)

    def __init__(
        self, marker: Range, value: float, default: float, label: str, whole: bool = False
    ) -> None:
        super().__init__()
        self.marker = marker
        self.label = label
        self.default = default
        self.whole = whole
        self._value = value
        self._drag_start: tuple[float, float] | None = None
        self._editor = EntryField(self)
        self._editor.hide()
        # What lies beyond the ends is taken as the nearest end, once it is typed.
        self._editor.setValidator(QRegularExpressionValidator(NUMBER, self))
        self._editor.ended.connect(self._on_typed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(96, 26)
        self.setMaximumHeight(26)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setAccessibleName(label)
        self.setToolTip(marker.help or "Drag, scroll, type, or double-click to reset")

    @property
    def value(self) -> float:
        return self._value

    def set_value(self, value: float, notify: bool = False) -> None:
        """Clamp and show a value; with ``notify``, emit ``changed``."""
        value = min(self.marker.high, max(self.marker.low, value))
        value = float(round(value)) if self.whole else round(value, 4)
        if value != self._value:
            self._value = value
            self.update()
            if notify:
                self.changed.emit(value)

    @property
    def _is_wide(self) -> bool:
        """Whether small values need as much room as large ones."""
        return self.marker.low > 0 and self.marker.high / self.marker.low >= 100

    def _share(self) -> float:
        low, high = self.marker.low, self.marker.high
        part = (self._value - low) / (high - low) if high > low else 0.0
        return float(part ** (1 / 3)) if self._is_wide else part

    def _value_at(self, share: float) -> float:
        part = share**3 if self._is_wide else share
        return self.marker.low + part * (self.marker.high - self.marker.low)

    @property
    def _step(self) -> float:
        if self.marker.step:
            return self.marker.step
        return 1.0 if self.whole else (self.marker.high - self.marker.low) / 100

    def text(self) -> str:
        shown = f"{self._value:.0f}" if self.whole or self._step >= 1 else f"{self._value:.2f}"
        return f"{shown} {self.marker.unit}".rstrip()

    def sizeHint(self) -> "QSize":
        return self.minimumSize().expandedTo(super().sizeHint())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(palette.color(_border_role(self.hasFocus())))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(box, 4, 4)
        bar = QRectF(1, self.height() - 4, (self.width() - 2) * self._share(), 3)
        painter.fillRect(bar, palette.color(QPalette.ColorRole.Highlight))
        inside = self.rect().adjusted(8, 0, -8, -2)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(inside, middle | Qt.AlignmentFlag.AlignLeft, self.label)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.drawText(inside, middle | Qt.AlignmentFlag.AlignRight, self.text())
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_start = (event.position().x(), self._share())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag_start is None:
            return
        start, share = self._drag_start
        fine = FINE_FACTOR if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        moved = share + fine * (event.position().x() - start) / max(1, self.width())
        value = self._value_at(min(1.0, max(0.0, moved)))
        step = self._step * fine
        self.set_value(round(value / step) * step, notify=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag_start is None:
            return
        was_click = abs(event.position().x() - self._drag_start[0]) < 3
        self._drag_start = None
        if was_click and event.position().x() > self.width() / 2:
            self._open_editor()
        else:
            self.settled.emit(self._value)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._editor.hide()
        self.set_value(self.default, notify=True)
        self.settled.emit(self._value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = (event.angleDelta().y() or event.angleDelta().x()) / 120
        self._nudge(turns, event.modifiers())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        turns = {Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1}
        key = Qt.Key(event.key())
        if key in turns:
            self._nudge(turns[key], event.modifiers())
        elif key in ENTER_KEYS:
            self._open_editor()
        elif event.text().isdigit():
            self._open_editor()
            self._editor.setText(event.text())
        else:
            super().keyPressEvent(event)

    def _nudge(self, turns: float, keys: Qt.KeyboardModifier) -> None:
        fine = FINE_FACTOR if keys & Qt.KeyboardModifier.ShiftModifier and not self.whole else 1.0
        self.set_value(self._value + turns * self._step * fine, notify=True)
        self.settled.emit(self._value)

    def _open_editor(self) -> None:
        self._editor.setGeometry(self.rect())
        self._editor.setText(f"{self._value:g}")
        self._editor.show()
        self._editor.selectAll()
        self._editor.setFocus()

    def _on_typed(self, text: str) -> None:
        self._editor.hide()
        value = _read_number(text)
        if value is not None and value != self._value:
            self.set_value(value, notify=True)
            self.settled.emit(self._value)

    def focusInEvent(self, event: "QFocusEvent") -> None:
        super().focusInEvent(event)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()


def _read_number(text: str) -> float | None:
    """A number with a point or a comma; None for anything else."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _border_role(is_focused: bool) -> QPalette.ColorRole:
    return QPalette.ColorRole.Highlight if is_focused else QPalette.ColorRole.Mid
