"""Autosave: a journal for the open document, and the offer to recover after a crash."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame

from core.errors import FileError
from core.files.atomic import remove_leftovers
from core.files.journal import PERIOD, Journal
from core.files.lock import remove_dead_locks
from core.files.recovery import Recovery, find_recoverable
from core.formats.opening import open_document
from core.settings import folders
from editor.files.home_check import describe_unusable_folders
from editor.files.recovery_offer import RecoveryOffer, make_thumbnail

if TYPE_CHECKING:
    from pathlib import Path

    from core.paint.document import Document
    from core.paint.tiles import Pixels
    from editor.files.file_actions import FileActions
    from editor.session import Session

LOG = logging.getLogger("sfumato")
PATIENCE = 10.0
"""Seconds that a save waits for the journal, which may have to record a whole picture first."""
RECORD_SECONDS = 30.0
"""Seconds that a recovered document may take to be recorded anew."""
FINE_SECONDS = 60.0
"""Seconds without a problem after which the next one is told again."""


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
        self._found: list[Recovery] = []
        self._told_at: float | None = None
        # A quarter of what may be lost: looking, writing and being late take the rest.
        self._period = max(0.05, min(PERIOD, session.settings.value.autosave_seconds / 4))
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        files.prepare_to_save = self._prepare_to_save

    def start(self) -> None:
        """Begin to record, and offer what an earlier window has left; inside the event loop."""
        self._timer.start(round(self._period * 1000))
        problem = describe_unusable_folders()
        if problem:
            self._session.tell(problem)
            self._told_at = time.monotonic()
            self._files.has_told_home_problem = True
        asyncio.get_running_loop().create_task(self._offer_found())

    def close(self) -> None:
        """A clean end: nothing is left to recover."""
        self._timer.stop()
        self._end()
        for recovery in self._found:
            recovery.let_go()

    def flush(self, seconds: float = 1.0) -> bool:
        """Record everything now; whether that worked within some seconds."""
        self._follow()
        return self._journal is not None and self._journal.flush(seconds)

    @property
    def journal(self) -> Journal | None:
        return self._journal

    def _tick(self) -> None:
        # The timer goes on whatever happens here: the next document may fare better.
        try:
            self._follow()
            if self._journal is not None:
                self._journal.record()
        except Exception as error:
            problem = f"Unsaved work cannot be recorded: {type(error).__name__}."
            if self._told_at is None:
                LOG.exception("autosave")
        else:
            problem = self._journal.problem if self._journal is not None else ""
        self._report(problem)

    def _report(self, problem: str) -> None:
        """Tell a problem once, however often it is met."""
        now = time.monotonic()
        if not problem:
            if self._told_at is not None and now - self._told_at > FINE_SECONDS:
                self._told_at = None
            return
        if self._told_at is None:
            self._session.tell(f"{problem} Save your picture to be safe.")
        self._told_at = now

    def _follow(self) -> None:
        """A journal for the document that is open now."""
        studio = self._session.studio
        document = studio.document if studio.has_document else None
        if document is self._document:
            return
        self._end()
        if document is not None:
            base = self._files.base_of(document)
            self._journal = Journal(folders().autosave, document, base, self._period)
        self._document = document

    def _end(self) -> None:
        journal, self._journal, self._document = self._journal, None, None
        if journal is not None:
            journal.close()

    def _prepare_to_save(self, path: "Path") -> None:
        """In the thread for files, before one is written."""
        journal = self._journal
        if journal is not None:
            journal.prepare_to_save(path, PATIENCE)

    # After a crash

    async def _offer_found(self) -> None:
        self._found = await self._session.jobs.run_in_thread(find_unsaved)
        await self._offer_next()

    async def _offer_next(self) -> None:
        """Show the newest that can be read; one that cannot keeps nobody from the others."""
        while self._found:
            recovery = self._found.pop(0)
            try:
                document = await self._session.jobs.run_in_thread(
                    lambda found=recovery: found.load(open_document)
                )
                thumbnail = await self._session.jobs.run_in_thread(make_thumbnail, document)
            except FileError as error:
                self._session.tell(f"{error} It is kept in {recovery.folder}.")
            except Exception:
                LOG.exception("recovery")
                self._session.tell(f"Unsaved work cannot be read. It is kept in {recovery.folder}.")
            else:
                self._show_offer(recovery, document, thumbnail)
                return

    def _show_offer(self, recovery: Recovery, document: "Document", thumbnail: "Pixels") -> None:
        self.offered.emit(
            RecoveryOffer(
                recovery,
                document,
                thumbnail,
                len(self._found),
                lambda: self.recover(recovery, document),
                self._go_on,
            )
        )

    def _go_on(self) -> None:
        asyncio.get_running_loop().create_task(self._offer_next())

    def recover(self, recovery: Recovery, document: "Document") -> bool:
        """Open recovered work; what it came from goes once it is recorded anew."""
        if not self._files.may_leave():
            return False
        self._files.show_recovered(document)
        if self.flush(RECORD_SECONDS):
            recovery.discard()
        else:
            recovery.let_go()
        return True


def find_unsaved() -> list[Recovery]:
    """Work left behind that was not saved, the newest first; what is of no use is cleared away."""
    remove_dead_locks(folders().locks)
    remove_leftovers(folders().config)
    return find_recoverable(folders().autosave)
