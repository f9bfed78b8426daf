"""A mouse, a pen, a wheel and keys for tests: real Qt events sent to a widget."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QPointingDevice,
    QPointingDeviceUniqueId,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE = Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
Position = tuple[float, float]


class Mouse:
    """Presses, moves and releases one button over a widget."""

    def __init__(
        self,
        widget: QWidget,
        button: Qt.MouseButton = LEFT,
        keys: Qt.KeyboardModifier = PLAIN,
    ) -> None:
        self._widget, self._button, self._keys = widget, button, keys

    def press(self, at: Position) -> None:
        self._send(QEvent.Type.MouseButtonPress, at, self._button)

    def move(self, at: Position) -> None:
        self._send(QEvent.Type.MouseMove, at, NONE)

    def release(self, at: Position) -> None:
        self._send(QEvent.Type.MouseButtonRelease, at, self._button)

    def drag(self, *places: Position) -> None:
        self.press(places[0])
        for place in places[1:]:
            self.move(place)
        self.release(places[-1])

    def _send(self, kind: QEvent.Type, at: Position, button: Qt.MouseButton) -> None:
        spot = QPointF(*at)
        event = QMouseEvent(kind, spot, spot, button, self._button, self._keys)
        QApplication.sendEvent(self._widget, event)


class Pen:
    """A stylus, with pressure unless it cannot tell, or its other end."""

    def __init__(self, widget: QWidget, is_eraser: bool = False, has_pressure: bool = True) -> None:
        self._widget = widget
        kinds = QPointingDevice.PointerType
        capabilities = QInputDevice.Capability.Position
        if has_pressure:
            capabilities |= QInputDevice.Capability.Pressure
        self._device = QPointingDevice(
            "pen",
            1,
            QInputDevice.DeviceType.Stylus,
            kinds.Eraser if is_eraser else kinds.Pen,
            capabilities,
            1,
            1,
            "",
            QPointingDeviceUniqueId(),
        )

    def press(self, at: Position, pressure: float) -> None:
        self._send(QEvent.Type.TabletPress, at, pressure, LEFT)

    def move(self, at: Position, pressure: float) -> None:
        self._send(QEvent.Type.TabletMove, at, pressure, NONE)

    def release(self, at: Position) -> None:
        self._send(QEvent.Type.TabletRelease, at, 0.0, LEFT)

    def _send(self, kind: QEvent.Type, at: Position, force: float, button: Qt.MouseButton) -> None:
        spot = QPointF(*at)
        event = QTabletEvent(
            kind, self._device, spot, spot, force, 0, 0, 0, 0, 0, PLAIN, button, LEFT
        )
        QApplication.sendEvent(self._widget, event)


def turn_wheel(widget: QWidget, at: Position, notches: float) -> None:
    spot = QPointF(*at)
    event = QWheelEvent(
        spot,
        widget.mapToGlobal(spot),
        QPoint(),
        QPoint(0, round(120 * notches)),
        NONE,
        PLAIN,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def press_key(widget: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier = PLAIN) -> None:
    QApplication.sendEvent(widget, QKeyEvent(QEvent.Type.KeyPress, key, keys))


def release_key(widget: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier = PLAIN) -> None:
    QApplication.sendEvent(widget, QKeyEvent(QEvent.Type.KeyRelease, key, keys))
