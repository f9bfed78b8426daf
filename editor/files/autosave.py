"""Autosave: the journal's timer, its clean end, and the offer to recover after a crash."""

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from core.errors import FileError
from core.files.journal import Journal, Recovery, find_recoverable
from core.paint.flatten import flatten
from core.settings import folders
from editor.widgets.pictures import rgb_pixmap

if TYPE_CHECKING:
    from core.paint.document import Document
    from core.paint.tiles import Pixels
    from editor.files.file_actions import FileActions
    from editor.session import Session

CHANGED = "changed"
"""A file beside the journal while the document has changes that are not saved."""
SLICE = 0.012
"""Seconds of writing at a time."""
BREATH, STROKE_BREATH = 5, 40
"""Milliseconds between slices; more while a stroke is open."""
THUMBNAIL = 72


class Autosave(QObject):
    """Records the open document; what is unsaved survives the end of the process.

    ``offered`` carries a widget that asks whether to recover what an earlier window has left.
    """

    offered = Signal(QFrame)

    def __init__(self, session: "Session", files: "FileActions") -> None:
        super().__init__()
        self._session, self._files = session, files
        self._journal: Journal | None = None
        self._document: Document | None = None
        self._path: object = None
        self._is_broken = False
        self._pause = max(50, min(1000, round(session.settings.value.autosave_seconds * 1000)))
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to record, and offer what an earlier window has left; inside the event loop."""
        self._timer.start(self._pause)
        found = find_unsaved()
        if found:
            asyncio.get_running_loop().create_task(self._offer(found))

    def close(self) -> None:
        """A clean end: nothing is left to recover."""
        self._timer.stop()
        self._end()

    def flush(self) -> None:
        """Record everything now, however long it takes."""
        self._follow()
        while self._journal is not None and not self._journal.flush(1.0):
            pass

    @property
    def journal(self) -> Journal | None:
        return self._journal

    def _tick(self) -> None:
        is_done = True
        try:
            self._follow()
            if self._journal is not None:
                is_done = self._journal.flush(SLICE)
            self._is_broken = False
        except FileError as error:
            self._complain(error)
        breath = STROKE_BREATH if self._session.studio.document.is_editing else BREATH
        self._timer.start(self._pause if is_done else breath)

    def _follow(self) -> None:
        """A journal for the document that is open now, marked while it has unsaved changes."""
        document = self._session.studio.document if self._session.studio.has_document else None
        if document is not self._document or (document and document.path != self._path):
            self._end()
            if document is not None:
                self._journal = Journal(folders().autosave, document)
                self._document, self._path = document, document.path
        if self._journal is not None and document is not None:
            self._mark(self._journal, document.is_modified)

    def _mark(self, journal: Journal, is_changed: bool) -> None:
        mark = journal.folder / CHANGED
        try:
            if is_changed and not mark.exists():
                mark.touch()
            elif not is_changed:
                mark.unlink(missing_ok=True)
        except OSError as error:
            raise FileError(f"Autosave stopped: {error.strerror or error}.") from error

    def _end(self) -> None:
        journal, self._journal, self._document = self._journal, None, None
        if journal is not None:
            journal.close()

    def _complain(self, error: FileError) -> None:
        """Say it once; go on trying, with a journal of its own, for the disk may get room."""
        if not self._is_broken:
            self._session.tell(f"{error} Save your picture to another place to be safe.")
        self._is_broken = True
        with suppress(OSError):
            self._end()

    # After a crash

    async def _offer(self, found: list[Recovery]) -> None:
        """Show the newest that can be read, then the next one when it has been dealt with."""
        for place, recovery in enumerate(found):
            try:
                document = await self._session.jobs.run_in_thread(recovery.load)
                thumbnail = await self._session.jobs.run_in_thread(_thumbnail, document)
            except FileError as error:
                self._session.tell(f"{error} It is kept in {recovery.folder}.")
                continue
            rest = found[place + 1 :]
            self.offered.emit(RecoveryOffer(self, recovery, document, thumbnail, rest))
            return

    def recover(self, recovery: Recovery, document: "Document") -> bool:
        """Open recovered work; what it came from goes once it is recorded anew."""
        if not self._files.may_leave():
            return False
        self._files.show(document)
        try:
            self.flush()
        except FileError as error:
            self._complain(error)
            return True
        recovery.discard()
        return True

    def next(self, found: list[Recovery]) -> None:
        if found:
            asyncio.get_running_loop().create_task(self._offer(found))


class RecoveryOffer(QFrame):
    """A bar above the canvas: a thumbnail, a description, Recover and Discard."""

    def __init__(
        self,
        autosave: Autosave,
        recovery: Recovery,
        document: "Document",
        thumbnail: "Pixels",
        rest: list[Recovery],
    ) -> None:
        super().__init__()
        self.setObjectName("MessageBar")
        self._autosave, self._recovery, self._document = autosave, recovery, document
        self._rest = rest
        picture = QLabel()
        picture.setPixmap(rgb_pixmap(thumbnail))
        picture.setAccessibleName("The unsaved picture")
        title = QLabel("Sfumato ended before this picture was saved.")
        about = QLabel(_about(recovery, document, len(rest)))
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
        if self._autosave.recover(self._recovery, self._document):
            self._finish()

    def _discard(self) -> None:
        self._recovery.discard()
        self._finish()

    def _finish(self) -> None:
        self.hide()
        self.deleteLater()
        self._autosave.next(self._rest)


def find_unsaved() -> list[Recovery]:
    """Work left behind that was not saved, the newest first; what was saved is cleared away."""
    found = find_recoverable(folders().autosave)
    for recovery in found:
        if not (recovery.folder / CHANGED).exists():
            recovery.discard()
    return [recovery for recovery in found if (recovery.folder / CHANGED).exists()]


def _thumbnail(document: "Document") -> "Pixels":
    """The picture over white, RGB, at most THUMBNAIL pixels a side."""
    pixels = flatten(document.root, document.bounds)
    scale = THUMBNAIL / max(document.size)
    side = [max(1, round(length * scale)) for length in document.size]
    small = np.asarray(cv2.resize(pixels, side, interpolation=cv2.INTER_AREA), np.uint8)
    over: Pixels = small[..., :3] + (255 - small[..., 3:])
    return np.ascontiguousarray(over)


def _about(recovery: Recovery, document: "Document", more: int) -> str:
    name = recovery.original.name if recovery.original else "Untitled"
    when = time.strftime("%d %B, %H:%M", time.localtime(recovery.when)).lstrip("0")
    text = f"{name}, {when}, {document.size.width} x {document.size.height}"
    return f"{text}; {more} more after this one" if more else text
