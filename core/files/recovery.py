"""Unsaved work that a process left behind: found at the next start, read, or cleared away."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.errors import EditorError, FileError, VersionError
from core.files.atomic import remove_leftovers
from core.files.file_version import FileVersion
from core.files.journal import OWNER
from core.files.journal_index import STRANGE, JournalIndex, tile_serials
from core.files.lock import take_lock
from core.files.recovered_document import make_document
from core.paint.layers import planes, walk

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from core.paint.document import Document
    from core.paint.layers import Node
    from core.paint.tiles import Pixels

RECORDS = "journal*.bin"
"""One file, or two while the journal was written anew."""
OLD_MARK = "changed"
"""Lay beside a journal of version 1 while the document had changes that were not saved."""
Read = Callable[[Path], "Document"]


@dataclass(frozen=True)
class Recovery:
    """Work that a process left behind when it ended without closing its journal.

    While it is offered no other window can take it. ``is_newer`` says that a newer Sfumato
    recorded it: it cannot be loaded, and is never deleted.
    """

    folder: Path
    when: float
    original: Path | None
    index: JournalIndex | None
    owner: "BaseFileLock | None" = None
    is_newer: bool = False

    def load(self, read: Read) -> "Document":
        """The document as it was last recorded; its note says what could not be brought back.

        ``read`` opens the file that the document came from. Raises FileError when no state is
        whole, VersionError when a newer Sfumato recorded it.
        """
        if self.index is None:
            raise _error_of(self.folder)
        try:
            return _load(self.index, read)
        except FileError:
            raise
        except (EditorError, OSError, MemoryError, *STRANGE) as error:
            raise FileError(f"The recorded work cannot be read: {error}.") from error

    def discard(self) -> None:
        """Delete the record, unless a newer Sfumato made it and alone can read it."""
        if not self.is_newer:
            _clear(self.folder)
        self.let_go()

    def let_go(self) -> None:
        """Leave it to whoever starts next."""
        if self.owner is not None:
            self.owner.release()


def find_recoverable(folder: Path) -> list[Recovery]:
    """Unsaved work of processes that ended without closing it, the newest first.

    What was saved, and what never held a whole state, is cleared away on the way.
    """
    with suppress(OSError):
        found = [_look_into(path) for path in folder.iterdir() if path.is_dir()]
        kept = [recovery for recovery in found if recovery is not None]
        return sorted(kept, key=lambda recovery: -recovery.when)
    return []


def _look_into(folder: Path) -> Recovery | None:
    owner = None
    try:
        had_owner = (folder / OWNER).exists()
        owner = take_lock(folder / OWNER)
        if owner is None:
            return None
        recovery = _examine(folder, owner, had_owner)
    except OSError:
        # A folder that cannot be read keeps nobody from the others.
        recovery = None
    if recovery is None and owner is not None:
        owner.release()
    return recovery


def _examine(folder: Path, owner: "BaseFileLock", had_owner: bool) -> Recovery | None:
    """What a folder without a living owner holds; raises OSError."""
    indices, is_newer, is_strange = [], False, False
    paths = sorted(folder.glob(RECORDS))
    for path in paths:
        try:
            index = JournalIndex(path)
        except VersionError:
            is_newer = True
        except FileError:
            is_strange = True
        else:
            indices.append(index)
            is_strange |= index.has_states and index.state is None
    if not had_owner and any(_may_run(path) for path in paths):
        (folder / OWNER).unlink(missing_ok=True)
        return None
    _remove_leftovers(indices)
    when = max((path.stat().st_mtime for path in paths), default=0.0)
    whole = [index for index in indices if index.state is not None]
    last = max(whole, key=_number_of, default=None)
    if is_newer or (last is None and is_strange):
        return Recovery(folder, when, None, None, owner, is_newer)
    if last is None or not _is_modified(last, folder):
        _clear(folder)
        return None
    return Recovery(folder, when, _original(last), last, owner)


def _remove_leftovers(indices: list[JournalIndex]) -> None:
    """Half-written pictures lie where the process saved something."""
    for place in {place for index in indices for place in index.folders}:
        remove_leftovers(place)


def _number_of(index: JournalIndex) -> int:
    number = (index.state or {}).get("number", 0)
    return number if isinstance(number, int) else 0


def _is_modified(index: JournalIndex, folder: Path) -> bool:
    assert index.state is not None
    return bool(index.state.get("modified", (folder / OLD_MARK).exists()))


def _original(index: JournalIndex) -> Path | None:
    assert index.state is not None
    name = index.state.get("path", index.start.get("path", ""))
    return Path(name) if isinstance(name, str) and name else None


def _may_run(path: Path) -> bool:
    """Whether the process that wrote a record without a lock may still run."""
    with suppress(*STRANGE, FileError, OSError):
        return psutil.pid_exists(int(JournalIndex(path).start["pid"]))
    return False


def _clear(folder: Path) -> None:
    # The records first: what is left of them would be offered.
    for path in folder.glob(RECORDS):
        with suppress(OSError):
            path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _error_of(folder: Path) -> FileError:
    for path in sorted(folder.glob(RECORDS)):
        try:
            JournalIndex(path)
        except FileError as error:
            return error
    return FileError(f"There is nothing whole in {folder} to recover.")


# Reading


def _load(index: JournalIndex, read: Read) -> "Document":
    if index.state is None:
        raise FileError("There is nothing whole in this record to recover.")
    needed = tile_serials(index.state)
    tiles = dict(index.tiles(needed))
    notes = []
    if needed - tiles.keys():
        found = _read_base(index, read)
        if found is None:
            notes.append(
                f"{index.base.get('path', 'The file')} is gone or was changed since it was opened: "
                "what was not painted over could not be recovered."
            )
        tiles |= found or {}
    document = make_document(index, tiles)
    left_out = index.state.get("left_out")
    if isinstance(left_out, list) and left_out:
        notes.append(f"This could not be recorded: {', '.join(map(str, left_out))}.")
    document.note = " ".join(notes)
    document.path = _original(index)
    return document


def _read_base(index: JournalIndex, read: Read) -> "dict[int, Pixels] | None":
    """Tiles by serial from the file that the document was opened from; None if it is another."""
    facts = index.base
    version = FileVersion(Path(facts["path"]), facts["bytes"], facts["hash"])
    if not version.has_same_content():
        return None
    with suppress(FileError, *STRANGE):
        return _find_tiles(list(walk(read(version.path).root)), facts["planes"])
    return None


def _find_tiles(nodes: "list[Node]", places: Any) -> "dict[int, Pixels]":
    """Raises KeyError, IndexError or TypeError where the layers are not those of the record."""
    found = {}
    for place, name, tiles in places:
        plane = planes(nodes[place])[name]
        for x, y, serial in tiles:
            tile = plane.tile((x, y))
            if tile is None:
                raise KeyError((x, y))
            found[serial] = tile.pixels
    return found
