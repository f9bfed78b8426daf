"""A line that is typed into: when its text counts, and where the focus goes afterwards."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QLineEdit, QWidget

ENTER_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
PASSING = frozenset({Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason})
"""Reasons why a line loses the focus for a while and is still being typed into."""


class EntryField(QLineEdit):
    """``ended`` carries the text once Enter or a click elsewhere ends the entry.

    Escape ends it too, with the text it began with. Both keys give the focus back to the window.
    """

    ended = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text_before = ""
        self._has_ended = False
        self.textEdited.connect(self._on_edited)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self._text_before)
        elif event.key() not in ENTER_KEYS:
            super().keyPressEvent(event)
            return
        # Passed on, Enter would begin another entry, and Escape end something else as well.
        event.accept()
        self.finish()
        leave_entry(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() not in PASSING:
            self._text_before = self.text()
            self._has_ended = False

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in PASSING and not self._has_ended:
            self.finish()

    def finish(self) -> None:
        """Let the text count that has been typed so far."""
        self._has_ended = True
        self.ended.emit(self.text())

    def _on_edited(self) -> None:
        self._has_ended = False


def leave_entry(widget: QWidget) -> None:
    """Give the focus to a widget's window, which has a place for it: the canvas in the main one."""
    window = widget.window()
    main = window.parentWidget()
    if isinstance(window, QDockWidget) and main is not None:
        window = main.window()
        window.activateWindow()
    window.setFocus()


def finish_entry() -> None:
    """Let the text count that is being typed anywhere."""
    focus = QApplication.focusWidget()
    if isinstance(focus, EntryField):
        focus.finish()
