"""The History dock: every edit by name; a click goes to the document as it was then."""

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from editor.panels.panel import Place, panels

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.paint.document import Document
    from editor.session import Session


@panels.register
class HistoryPanel(QWidget):
    """Lists edits, the newest at the bottom; undone edits are dim."""

    id: ClassVar[str] = "history"
    title: ClassVar[str] = "History"
    place: ClassVar[Place] = Place(40, is_tab=True)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.list = QListWidget()
        self.list.setAccessibleName("History")
        self.list.itemClicked.connect(lambda item: self.go_to(self.list.row(item)))
        self._empty = QLabel("Every stroke and change is listed here and can be taken back.")
        self._empty.setProperty("role", "dim")
        self._empty.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self._empty)
        layout.addWidget(self.list, 1)
        self._disconnect: Callable[[], None] = lambda: None
        self._shown: tuple[object, ...] = ()
        session.studio.opened.connect(self._on_document_opened)
        self._on_document_opened(session.studio.document)

    def _on_document_opened(self, document: "Document") -> None:
        self._disconnect()
        self._disconnect = document.restructured.connect(lambda _: self.refresh())
        self._shown = ()
        self.refresh()

    def refresh(self) -> None:
        history = self.session.studio.document.history
        shown = (*history.done, None, *history.undone)
        if shown == self._shown and self._shown:
            return
        self._shown = shown
        self.list.clear()
        labels = [edit.label for edit in history.done]
        for label in ("Opened", *labels):
            self.list.addItem(label)
        self.list.setCurrentRow(len(labels))
        for edit in reversed(history.undone):
            item = QListWidgetItem(edit.label)
            item.setForeground(self.palette().placeholderText())
            self.list.addItem(item)
        self._empty.setVisible(not labels and not history.undone)
        self.list.scrollToItem(self.list.item(len(labels)), QListWidget.ScrollHint.EnsureVisible)

    def go_to(self, row: int) -> None:
        """Undo or redo until row (0 is the opened document) is the present."""
        document = self.session.studio.document
        while len(document.history.done) > row and document.undo() is not None:
            pass
        while len(document.history.done) < row and document.redo() is not None:
            pass
