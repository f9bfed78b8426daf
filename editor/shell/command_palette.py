"""Ctrl+K: find a command by a few letters of its name."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from editor.session import Session


class CommandPalette(QDialog):
    """Typing narrows the list, Enter runs the chosen command."""

    def __init__(self, session: "Session", parent: "QWidget") -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.session = session
        self.setMinimumSize(440, 360)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a command")
        self.search.textChanged.connect(self._narrow)
        self.search.returnPressed.connect(self.run)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.itemActivated.connect(lambda _: self.run())
        self.list.itemClicked.connect(lambda _: self.run())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        self._narrow("")

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        self.list.clear()
        for command in self.session.actions:
            name = f"{command.menu}: {command.label}" if command.menu else command.label
            if command.rule() and all(word in name.lower() for word in words):
                item = QListWidgetItem(f"{name}    {command.keys}".rstrip())
                item.setData(Qt.ItemDataRole.UserRole, command.id)
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def run(self) -> None:
        item = self.list.currentItem()
        self.close()
        if item is not None:
            self.session.actions.run(item.data(Qt.ItemDataRole.UserRole))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                row = self.list.currentRow() + step
                self.list.setCurrentRow(min(self.list.count() - 1, max(0, row)))
                return True
        return super().eventFilter(watched, event)
