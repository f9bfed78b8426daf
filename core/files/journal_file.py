"""One file of a journal: what it holds already, and what a new snapshot adds to it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.files.file_version import FileVersion
from core.files.journal_states import (
    SCHEMA,
    Snapshot,
    StateText,
    pack_selection,
    pack_tile,
    planes_by_place,
)
from core.files.records import (
    BASE_RECORD,
    BLOB_RECORD,
    FOLDER_RECORD,
    START_RECORD,
    STATE_RECORD,
    TILE_RECORD,
    RecordWriter,
    read_records,
)
from core.paint.edits import DocumentState

MAX_COMPRESSED_TILES = 32
"""New tiles of one snapshot that are compressed; more are written plainly, 25 times as fast."""


@dataclass(frozen=True, eq=False)
class Base:
    """The file that a document was opened from; what it gives need not be recorded."""

    version: FileVersion
    serials: frozenset[int]
    record: bytes

    @staticmethod
    def of(version: FileVersion, state: DocumentState) -> "Base":
        """``state`` is what reading that version of the file gave."""
        places = planes_by_place(state)
        serials = frozenset(serial for _, _, tiles in places for _, _, serial in tiles)
        facts = {
            "path": str(version.path),
            "bytes": version.size,
            "hash": version.digest,
            "planes": places,
        }
        return Base(version, serials, json.dumps(facts).encode())


class JournalFile:
    """Records snapshots in a new file. Raises OSError when it cannot be written."""

    def __init__(self, path: Path, start: Mapping[str, Any], base: Base | None) -> None:
        self._writer = RecordWriter(path)
        self._serials: set[int] = set()
        self._base = base
        self._blobs = 0
        self._selection: tuple[object, int] = (None, 0)
        self._extras: tuple[object, int] = ({}, 0)
        self._left_out: list[str] = []
        self._checked = 0
        try:
            self._writer.append(START_RECORD, json.dumps(SCHEMA.stamp(start)).encode())
            if base is not None:
                self._writer.append(BASE_RECORD, base.record)
        except OSError:
            self.remove()
            raise

    @property
    def size(self) -> int:
        return self._writer.size

    @property
    def is_there(self) -> bool:
        """Whether the file still has its name on the disk."""
        return self._writer.path.exists()

    def forget_base(self) -> None:
        """From now on every tile is recorded, for the file it came from changes."""
        self._base = None

    def add_folder(self, folder: Path) -> None:
        """Note a folder into which a picture is going to be saved. Raises OSError."""
        self._writer.append(FOLDER_RECORD, str(folder).encode("utf-8", "surrogateescape"))

    def write(self, snapshot: Snapshot, number: int) -> Iterator[None]:
        """Tiles that are not in the file yet, one at a time, then the state. Raises OSError."""
        new = {tile.serial: tile for tile in snapshot.tiles if not self._has(tile.serial)}
        is_compressed = len(new) <= MAX_COMPRESSED_TILES
        for serial, tile in new.items():
            self._writer.append(TILE_RECORD, pack_tile(tile, is_compressed))
            self._serials.add(serial)
            yield
        text = StateText(snapshot)
        selection, extras = self._write_selection(snapshot), self._write_extras(snapshot, text)
        text.left_out.extend(self._left_out)
        self._writer.append(STATE_RECORD, text.encode(number, selection, extras))

    def _has(self, serial: int) -> bool:
        return serial in self._serials or (self._base is not None and serial in self._base.serials)

    def _write_selection(self, snapshot: Snapshot) -> int:
        alpha = snapshot.state.selection.alpha
        if alpha is not None and alpha is not self._selection[0]:
            self._selection = alpha, self._write_blob(pack_selection(alpha))
        return 0 if alpha is None else self._selection[1]

    def _write_extras(self, snapshot: Snapshot, text: StateText) -> int:
        if snapshot.extras != self._extras[0]:
            data = text.encode_extras()
            self._left_out, text.left_out = text.left_out, []
            self._extras = snapshot.extras, self._write_blob(data)
        return self._extras[1]

    def _write_blob(self, data: bytes) -> int:
        number = self._blobs + 1
        self._writer.append(BLOB_RECORD, number.to_bytes(8, "little") + data)
        self._blobs = number
        return number

    def check(self) -> Iterator[None]:
        """Read again what was written since the last check; raises OSError where it differs."""
        for record in read_records(self._writer.path, self._checked):
            self._checked = record.offset + len(record.data)
            yield
        if self._checked != self._writer.size:
            raise OSError(0, "what was written cannot be read back")

    def sync(self) -> None:
        """Wait until what was written would survive a loss of power. Raises OSError."""
        self._writer.sync()

    def close(self) -> None:
        self._writer.close()

    def remove(self) -> None:
        """Close and delete the file. Raises OSError."""
        self._writer.close()
        self._writer.path.unlink(missing_ok=True)
