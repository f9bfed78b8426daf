"""A record of a document since it was opened, so that a crash loses less than a second of work.

A thread of its own writes snapshots. States are values, so a snapshot adds only the tiles that no
record holds yet; those of the file that the document came from are named and not copied. A state
is written after its tiles, so that whatever is cut off at the end, the last whole state existed.
"""

import errno
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.files.journal_file import JournalFile
from core.files.journal_states import Snapshot, take_snapshot
from core.files.lock import take_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from filelock import BaseFileLock

    from core.files.journal_file import Base
    from core.paint.document import Document
    from core.paint.edits import DocumentState

LOG = logging.getLogger("sfumato")
OWNER = "owner.lock"
"""Beside the records: locked for as long as the process that writes them runs."""
MAX_JOURNAL_BYTES = 512 << 20
"""Bytes after which the journal is written anew without what nothing refers to any more."""
PERIOD = 0.2
"""Seconds from one look at the document to the next, whatever writing takes."""
RETRY = 0.5
"""Seconds until writing is tried again after it failed."""
LONGEST_WRITE = 10.0
"""Seconds after which a disk that does not answer is left alone."""
TILES_PER_SYNC = 32
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


class Numbered(NamedTuple):
    """A snapshot with its place in the order in which snapshots were taken."""

    number: int
    snapshot: Snapshot


class Journal:
    """Records one document in a folder of its own until ``close``.

    Between edits its thread looks at the document by itself; while one is open, call ``record``
    from time to time. ``problem`` is one sentence while nothing can be recorded, else empty.
    ``base`` is the file that the document was read from, if any.
    """

    def __init__(
        self,
        folder: Path,
        document: "Document",
        base: "Base | None" = None,
        period: float = PERIOD,
    ) -> None:
        self.folder: Path | None = None
        self.problem = ""
        self._root, self._document, self._period = folder, document, period
        self._base = base
        self._file: JournalFile | None = None
        self._files = 0
        self._owner: BaseFileLock | None = None
        self._folders: list[Path] = []
        self._limit = MAX_JOURNAL_BYTES
        self._compaction: Iterator[None] | None = None
        self._seen: tuple[object, ...] = ()
        self._taken = self._written = self._failures = 0
        self._pending: Numbered | None = None
        self._last: Numbered | None = None
        self._work: list[Callable[[], None]] = []
        self._is_closing = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    # From any thread

    def record(self) -> None:
        """Take the document as it is now, an open stroke included; for the thread that edits."""
        with self._condition:
            self._take(self._document.state)

    def flush(self, seconds: float) -> bool:
        """Record the document now and wait; whether it is written. For the thread that edits."""
        self.record()
        return self._wait(seconds)

    def prepare_to_save(self, path: Path, seconds: float) -> None:
        """Before a file is written: record what only the file before it holds, and where it goes.

        Waits at most so many seconds; saving must go on even where nothing can be recorded.
        """
        with self._condition:
            self._work.append(lambda: self._add_folder(path.resolve().parent))
            if self._base is not None and _is_same_file(self._base.version.path, path):
                self._work.append(self._forget_base)
                self._take_again()
        self._wait(seconds)

    def close(self, clean: bool = True) -> None:
        """End the record; a clean end leaves nothing to recover."""
        with self._condition:
            self._is_closing = True
            self._condition.notify_all()
        self._thread.join(LONGEST_WRITE)
        self._compaction = None
        with suppress(OSError):
            self._let_go(clean)

    # Taking

    def _look(self) -> None:
        """Take the document unless an edit is open, whose pixels change under other threads."""
        with self._condition:
            state = self._document.state
            if not self._document.is_editing:
                self._take(state)

    def _take(self, state: "DocumentState") -> None:
        document = self._document
        facts = document.revision, document.path, document.saved, dict(document.extras)
        if (state, *facts) == self._seen:
            return
        snapshot = take_snapshot(document, state)
        self._seen = (state, *facts)
        self._taken += 1
        self._pending = Numbered(self._taken, snapshot)
        self._condition.notify_all()

    def _take_again(self) -> None:
        """Have the last snapshot written once more."""
        last = self._pending or self._last
        if last is not None:
            self._taken += 1
            self._pending = Numbered(self._taken, last.snapshot)

    def _wait(self, seconds: float) -> bool:
        """Whether all that was taken and asked for is written within some seconds."""
        with self._condition:
            number, failures = self._taken, self._failures
            self._condition.notify_all()

            def is_over() -> bool:
                is_written = self._written >= number and not self._work
                return is_written or self._failures > failures or self._is_closing

            self._condition.wait_for(is_over, seconds)
            return self._written >= number and not self._work

    # Writing, in the journal's own thread

    def _run(self) -> None:
        next_look = time.monotonic()
        while not self._is_closing:
            try:
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + self._period
                    self._look()
                self._step()
                self.problem = ""
            except OSError as error:
                self._fail(f"Unsaved work cannot be recorded: {error.strerror or error}.")
            except Exception as error:  # whatever it is, the next look may go well again
                problem = f"Unsaved work cannot be recorded: {type(error).__name__}: {error}."
                if problem != self.problem:
                    LOG.exception("journal")
                self._fail(problem)
            self._rest(next_look)

    def _rest(self, next_look: float) -> None:
        with self._condition:
            is_idle = self._pending is None and self._compaction is None and not self._work
            if is_idle and not self._is_closing:
                self._condition.wait(max(0.0, next_look - time.monotonic()))

    def _fail(self, problem: str) -> None:
        with self._condition:
            self.problem = problem
            self._failures += 1
            self._compaction = None
            self._condition.notify_all()
            if not self._is_closing:
                self._condition.wait(RETRY)

    def _step(self) -> None:
        """Write what is due: a snapshot first, then a part of the compaction."""
        if self._base is not None and not self._base.version.is_untouched():
            self._forget_base()
        pending = self._pending
        if pending is None and not self._work:
            self._go_on_compacting()
            return
        file = self._open_file()
        while self._work:
            self._work[0]()
            self._work.pop(0)
        pending = self._pending
        if pending is not None:
            for _ in file.write(pending.snapshot, pending.number):
                if self._is_closing:
                    return
        self._finish(pending)
        if file.size > self._limit and self._compaction is None:
            self._compaction = self._compact()

    def _go_on_compacting(self) -> None:
        """A compaction that fails costs nothing but room: the first file is whole."""
        try:
            if self._compaction is not None and next(self._compaction, self) is self:
                self._compaction = None
        except OSError as error:
            LOG.warning("the journal was not compacted: %s", error)
            self._compaction = None
            self._limit += MAX_JOURNAL_BYTES

    def _finish(self, pending: Numbered | None) -> None:
        with self._condition:
            if pending is not None:
                self._last, self._written = pending, pending.number
            if self._pending is pending:
                self._pending = None
            self._condition.notify_all()

    def _open_file(self) -> JournalFile:
        """The present file; a new one where there is none, or somebody has cleared it away."""
        if self._file is not None and not self._file.is_there:
            self._let_go(clean=True)
        if self._file is None:
            self._open_folder()
            try:
                self._file = self._new_file()
            except OSError:
                self._let_go(clean=True)
                raise
        return self._file

    def _open_folder(self) -> None:
        self._files, self._limit = 0, MAX_JOURNAL_BYTES
        self._root.mkdir(parents=True, exist_ok=True)
        while self._owner is None:
            folder = self._root / f"{os.getpid()}-{time.time_ns()}"
            with suppress(FileNotFoundError):  # another window's clearing was quicker
                folder.mkdir()
                self.folder = folder
                try:
                    self._owner = take_lock(folder / OWNER)
                except OSError as error:
                    if error.errno not in NO_LOCKS:
                        shutil.rmtree(folder, ignore_errors=True)
                        raise
                    return

    def _new_file(self) -> JournalFile:
        assert self.folder is not None
        self._files += 1
        path = self.folder / f"journal-{self._files}.bin"
        file = JournalFile(path, {"pid": os.getpid()}, self._base)
        try:
            for folder in self._folders:
                file.add_folder(folder)
        except OSError:
            file.remove()
            raise
        return file

    def _compact(self) -> Iterator[None]:
        """Write what is needed now to a second file; the first goes once that is read back."""
        fresh, done = self._new_file(), None
        try:
            while done is not self._last and self._last is not None:
                done = self._last
                for count, _ in enumerate(fresh.write(done.snapshot, done.number), 1):
                    if count % TILES_PER_SYNC == 0:
                        fresh.sync()
                    yield
                fresh.sync()
                yield from fresh.check()
        except BaseException:
            with suppress(OSError):
                fresh.remove()
            raise
        old, self._file = self._file, fresh
        self._limit = max(MAX_JOURNAL_BYTES, 2 * fresh.size)
        if old is not None:
            with suppress(OSError):
                old.remove()

    def _add_folder(self, folder: Path) -> None:
        if folder not in self._folders:
            self._open_file().add_folder(folder)
            self._folders.append(folder)

    def _forget_base(self) -> None:
        """Record everything that the file gave, for it is going to change or has changed."""
        self._base = self._compaction = None
        with self._condition:
            if self._file is not None:
                self._file.forget_base()
            self._take_again()

    def _let_go(self, clean: bool) -> None:
        """Close the file, and delete all where nothing is to be recovered. Raises OSError."""
        file, self._file = self._file, None
        owner, self._owner = self._owner, None
        try:
            if file is not None:
                file.close()
            if clean and self.folder is not None:
                for path in self.folder.glob("journal-*.bin"):
                    path.unlink()
        finally:
            if owner is not None:
                owner.release()
        if clean and self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _is_same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False
