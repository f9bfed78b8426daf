"""The bar that offers unsaved work after a crash: a thumbnail, a description, two buttons."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from core.geometry import Rect
from core.paint.flatten import flatten
from editor.widgets.pictures import rgb_pixmap

if TYPE_CHECKING:
    from core.files.recovery import Recovery
    from core.paint.document import Document
    from core.paint.tiles import Pixels

THUMBNAIL = 72
MAX_BAND_PIXELS = 1 << 24
"""Pixels of the picture that are flattened at once for a thumbnail."""


class RecoveryOffer(QFrame):
    """A bar above the canvas. ``recover`` returns whether the work is open now."""

    def __init__(
        self,
        recovery: "Recovery",
        document: "Document",
        thumbnail: "Pixels",
        more: int,
        recover: Callable[[], bool],
        finish: Callable[[], None],
    ) -> None:
        super().__init__()
        self.setObjectName("MessageBar")
        self._recovery, self._recover_work, self._end = recovery, recover, finish
        picture = QLabel()
        picture.setPixmap(rgb_pixmap(thumbnail))
        picture.setAccessibleName("The unsaved picture")
        title = QLabel("Sfumato ended before this picture was saved.")
        about = QLabel(_about(recovery, document, more))
        about.setProperty("role", "dim")
        about.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        for label in (title, about):
            words.addWidget(label)
        words.addStretch(1)
        self.recover = QPushButton("Recover")
        self.recover.clicked.connect(self._recover)
        self.discard = QPushButton("Discard")
        self.discard.setToolTip("Delete this unsaved work for good")
        self.discard.clicked.connect(self._discard)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(12)
        row.addWidget(picture)
        row.addLayout(words, 1)
        for button in (self.discard, self.recover):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)

    def _recover(self) -> None:
        if self._recover_work():
            self._finish()

    def _discard(self) -> None:
        self._recovery.discard()
        self._finish()

    def _finish(self) -> None:
        self.hide()
        self.deleteLater()
        self._end()


def make_thumbnail(document: "Document") -> "Pixels":
    """The picture over white, RGB uint8, 0..255, at most THUMBNAIL pixels a side.

    Of a huge picture only some rows are looked at, so that it costs neither memory nor time.
    """
    width, height = document.size
    scale = THUMBNAIL / max(document.size)
    columns, rows = (max(1, round(side * scale)) for side in document.size)
    edges = np.linspace(0, height, rows + 1).astype(int)
    most = max(1, MAX_BAND_PIXELS // (width * rows))
    bands = []
    for top, bottom in zip(edges[:-1], edges[1:], strict=True):
        band = Rect(0, int(top), width, max(1, min(int(bottom - top), most)))
        pixels = flatten(document.root, band)
        bands.append(cv2.resize(pixels, (columns, 1), interpolation=cv2.INTER_AREA))
    small = np.asarray(np.concatenate(bands), np.uint8)
    over: Pixels = small[..., :3] + (255 - small[..., 3:])
    return np.ascontiguousarray(over)


def _about(recovery: "Recovery", document: "Document", more: int) -> str:
    name = recovery.original.name if recovery.original else "Untitled"
    when = time.strftime("%d %B, %H:%M", time.localtime(recovery.when)).lstrip("0")
    text = f"{name}, {when}, {document.size.width} x {document.size.height}"
    return f"{text}; {more} more after this one" if more else text
