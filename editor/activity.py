"""Notices the person's activity: presses, keys and turns of the wheel anywhere in the program."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject

if TYPE_CHECKING:
    from collections.abc import Callable


class ActivityWatcher(QObject):
    """Calls back on every press, key and turn of the wheel in the program, while it is on."""

    INPUT_EVENTS = frozenset(
        {
            QEvent.Type.MouseButtonPress,
            QEvent.Type.MouseButtonRelease,
            QEvent.Type.TabletPress,
            QEvent.Type.TabletRelease,
            QEvent.Type.TouchBegin,
            QEvent.Type.TouchEnd,
            QEvent.Type.Wheel,
            QEvent.Type.KeyPress,
            QEvent.Type.ShortcutOverride,
            QEvent.Type.Drop,
        }
    )

    def __init__(self, application: QCoreApplication, on_activity: "Callable[[], None]") -> None:
        super().__init__()
        self._application, self._on_activity = application, on_activity
        self._is_listening = False

    def listen(self, on: bool) -> None:
        """Switch the watcher on or off."""
        if on is not self._is_listening:
            self._is_listening = on
            install = self._application.installEventFilter
            (install if on else self._application.removeEventFilter)(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in self.INPUT_EVENTS:
            self._on_activity()
        return False
