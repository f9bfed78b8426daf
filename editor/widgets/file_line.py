"""A line for a file or a folder that can be chosen, dropped or removed, shown by its short name."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from core.formats.opening import suffixes
from core.params import File, Folder

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent

NONE = "None"
CLEAR_WIDTH = 22
"""Width of the × in pixels."""


class FileLine(QWidget):
    """Label, name, Choose… and × in one line.

    ``changed`` carries the path that a person chose or dropped, empty once it is removed.
    """

    changed = Signal(str)

    def __init__(self, marker: File, path: str, label: str) -> None:
        super().__init__()
        self.path = ""
        self._is_folder = isinstance(marker, Folder)
        self.label, self._endings = label, endings(marker.kinds)
        self.name, self.choose, self.clear = ShortName(), QPushButton("Choose…"), QToolButton()
        self.setAcceptDrops(True)
        self._prepare_buttons()
        self._lay_out()
        self.show_path(path)

    def _prepare_buttons(self) -> None:
        self.choose.setAccessibleName(f"Choose {self.label}")
        self.choose.clicked.connect(self._on_choose)
        self.clear.setText("×")
        self.clear.setFixedWidth(CLEAR_WIDTH)
        self.clear.setToolTip("Take it away")
        self.clear.setAccessibleName(f"Take away {self.label}")
        self.clear.clicked.connect(lambda: self._set_path(""))

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        label = QLabel(self.label)
        label.setProperty("role", "dim")
        layout.addWidget(label)
        layout.addWidget(self.name, 1)
        layout.addWidget(self.choose)
        layout.addWidget(self.clear)

    def show_path(self, path: str) -> None:
        """Show another file without emitting a signal."""
        self.path = path
        self.name.show_text(Path(path).name if path else NONE)
        self.name.setToolTip(path)
        self.clear.setEnabled(bool(path))

    def _on_choose(self) -> None:
        if self._is_folder:
            name = QFileDialog.getExistingDirectory(self, self.label, self.path)
            if name:
                self._set_path(name)
            return
        # An empty folder makes the dialog begin where the last one ended.
        start = str(Path(self.path).parent) if self.path else ""
        every = " ".join(f"*{ending}" for ending in sorted(self._endings))
        name, _ = QFileDialog.getOpenFileName(self, self.label, start, f"{self.label} ({every})")
        if name:
            self._set_path(name)

    def _set_path(self, path: str) -> None:
        if path != self.path:
            self.show_path(path)
            self.changed.emit(path)

    def dragEnterEvent(self, event: "QDragEnterEvent") -> None:
        if self._dropped_path(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: "QDropEvent") -> None:
        path = self._dropped_path(event.mimeData())
        if path:
            event.acceptProposedAction()
            self._set_path(path)

    def _dropped_path(self, data: "QMimeData") -> str:
        """The first file that fits, or nothing."""
        names = (url.toLocalFile() for url in data.urls() if url.isLocalFile())
        return next((name for name in names if self._fits(Path(name))), "")

    def _fits(self, path: Path) -> bool:
        return path.is_dir() if self._is_folder else path.suffix.lower() in self._endings


class ShortName(QLabel):
    """Plain text that is shortened in its middle where it is too long."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self._shorten()

    def resizeEvent(self, event: "QResizeEvent") -> None:
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        middle = Qt.TextElideMode.ElideMiddle
        self.setText(self.fontMetrics().elidedText(self._whole, middle, self.width()))


def endings(kinds: tuple[str, ...]) -> set[str]:
    """File endings, with the dot, of what a parameter takes."""
    return {one for kind in kinds for one in (suffixes() if kind == "image" else (kind,))}
