"""What a window shows before there is a picture: recent files, open, new, the sample."""

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QImageReader, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.errors import FileError, readable
from core.formats.decoding import translate_decoder_errors
from editor.widgets.theme import pixmap

if TYPE_CHECKING:
    from editor.session import Session

THUMBNAIL = QSize(144, 108)
MAX_THUMBNAIL_BYTES = 4 << 20
"""Bytes of the small picture that a file carries of itself."""


def _is_file(path: Path) -> bool:
    """Whether a file is there, or could be; names that no file can have are none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


class StartPage(QWidget):
    """Shown in place of the canvas; ``chosen`` carries the path of a recent file."""

    chosen = Signal(Path)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        title = QLabel("Sfumato")
        title.setProperty("role", "title")
        self._hint = QLabel()
        self._hint.setProperty("role", "dim")
        self.recent = QListWidget()
        self.recent.setViewMode(QListView.ViewMode.IconMode)
        self.recent.setIconSize(THUMBNAIL)
        self.recent.setGridSize(QSize(168, 148))
        self.recent.setResizeMode(QListView.ResizeMode.Adjust)
        self.recent.setMovement(QListView.Movement.Static)
        self.recent.setAccessibleName("Recent files")
        self.recent.itemActivated.connect(self._open)
        self.recent.itemClicked.connect(self._open)
        inner = QVBoxLayout()
        inner.setSpacing(16)
        inner.addStretch(1)
        for widget in (title, self._hint):
            inner.addWidget(widget)
        inner.addLayout(self._buttons())
        inner.addWidget(self.recent, 3)
        inner.addStretch(1)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addLayout(inner, 6)
        row.addStretch(1)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for name, label in (("open", "Open…"), ("new", "New…"), ("sample", "Try the sample")):
            button = QPushButton(label)
            button.setMinimumSize(132, 36)
            button.setDefault(name == "open")
            button.clicked.connect(lambda _=False, name=name: self.session.actions.run(name))
            row.addWidget(button)
        row.addStretch(1)
        return row

    def refresh(self) -> None:
        """Show the recent files that still exist."""
        self.recent.clear()
        for name in self.session.settings.value.recent:
            path = Path(name)
            if _is_file(path):
                item = QListWidgetItem(QIcon(self._picture(path)), readable(path.name))
                item.setData(Qt.ItemDataRole.UserRole, path)
                item.setToolTip(readable(name))
                self.recent.addItem(item)
        has_recent = self.recent.count() > 0
        self.recent.setVisible(has_recent)
        self._hint.setText(
            "Pick up where you left off, or drop a picture anywhere on this window."
            if has_recent
            else "Open a picture, start a new one, or drop a file anywhere on this window."
        )

    def _open(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))

    def _picture(self, path: Path) -> QPixmap:
        image = _thumbnail(path)
        if image.isNull():
            return pixmap("image", self.session.tokens.value.dim, 48)
        keep = Qt.AspectRatioMode.KeepAspectRatio
        smooth = Qt.TransformationMode.SmoothTransformation
        return QPixmap.fromImage(image.scaled(THUMBNAIL, keep, smooth))


def _thumbnail(path: Path) -> QImage:
    """A small picture of a file; a null image when it has none that can be read quickly."""
    if path.suffix.lower() == ".ora":
        try:
            with translate_decoder_errors(path.name), ZipFile(path) as archive:
                entry = archive.getinfo("Thumbnails/thumbnail.png")
                is_small = entry.file_size <= MAX_THUMBNAIL_BYTES
                return QImage.fromData(archive.read(entry)) if is_small else QImage()
        except (FileError, OSError):
            return QImage()
    if readable(path) != str(path):
        return QImage()  # Qt opens no file whose name it cannot decode.
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid():
        reader.setScaledSize(size.scaled(THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
