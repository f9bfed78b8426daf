"""The Keys window: every key of the program in one table that can be searched."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.catalog import tools
from editor.shell.toolbox import order_tools

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from editor.session import Session

SIZE = (620, 560)
POINTER = (
    ("Zoom", "Wheel"),
    ("Other seeds of the active AI layer", "Shift+Wheel"),
    ("Other strengths of the active AI layer", "Ctrl+Shift+Wheel"),
    ("Other seeds of the fresh AI layer", "Wheel with the AI brush"),
    ("Move the view", "Space and drag, middle button and drag"),
    ("Rotate the view", "R and drag"),
    ("Pick a colour with a brush", "Alt and click"),
)
"""What the pointer does on the canvas with keys held; no command has these."""


class KeysDialog(QDialog):
    """Typing narrows the table to rows with all the words, in any column."""

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(*SIZE)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a key or what it does")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._narrow)
        self.table = QTreeWidget()
        self.table.setObjectName("Keys")
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setHeaderLabels(["Where", "What", "Keys"])
        for row in list_keys(session):
            self.table.addTopLevelItem(QTreeWidgetItem(list(row)))
        header = self.table.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self.search)
        layout.addWidget(self.table, 1)

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        for row in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(row)
            assert item is not None
            line = " ".join(item.text(column) for column in range(3)).lower()
            item.setHidden(not all(word in line for word in words))

    def keyPressEvent(self, event: "QKeyEvent") -> None:
        """Escape empties the search first, and then closes the window."""
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        else:
            super().keyPressEvent(event)


def list_keys(session: "Session") -> list[tuple[str, str, str]]:
    """Where, what and which keys: tools, then commands by menu, then the pointer."""
    rows = [("Tools", tools[name].label, tools[name].shortcut) for name in order_tools()]
    for command in session.actions:
        if command.keys:
            rows.append((command.menu or "Canvas", command.label.rstrip("…"), command.keys))
    return rows + [("Canvas", what, keys) for what, keys in POINTER]
