"""Reading a journal's file: where its tiles lie, and which of its states is the last whole one."""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import FileError, VersionError
from core.files.journal_states import IS_PLAIN, SCHEMA, SERIAL
from core.files.records import (
    BASE_RECORD,
    BLOB_RECORD,
    FOLDER_RECORD,
    MARK_VERSION,
    START_RECORD,
    STATE_RECORD,
    TILE_RECORD,
    newer_mark,
    read_records,
)
from core.paint.tiles import TILE, Pixels

STRANGE = (
    KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError,
    ArithmeticError, struct.error, zlib.error,
)  # fmt: skip
"""What comes of data that has the right checksum and no sense."""
Place = tuple[int, int]
"""Where the data of a record begins in the file, and its length."""


class JournalIndex:
    """What one file of records holds, without the pixels.

    Raises FileError when it cannot be read, VersionError when a newer Sfumato wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.start: dict[str, Any] = {}
        self.base: dict[str, Any] = {}
        self.folders: list[Path] = []
        self._version = 1
        self._tiles: dict[int, Place] = {}
        self._blobs: dict[int, Place] = {}
        self._states: list[Place] = []
        self._from_base: set[int] = set()
        try:
            self._read()
            self.state = self._find_whole_state()
        except FileError:
            raise
        except (OSError, *STRANGE) as error:
            raise FileError(f"{path} cannot be read: {error}.") from error

    @property
    def has_states(self) -> bool:
        return bool(self._states)

    def _read(self) -> None:
        version = newer_mark(self.path)
        if version is not None:
            raise VersionError(SCHEMA.name, version, MARK_VERSION)
        for kind, data, offset in read_records(self.path):
            place = offset, len(data)
            if kind == TILE_RECORD:
                self._tiles[SERIAL.unpack_from(data)[0]] = place
            elif kind == STATE_RECORD:
                self._states.append(place)
            elif kind == BLOB_RECORD:
                self._blobs[int.from_bytes(data[:8], "little")] = place
            elif kind == FOLDER_RECORD:
                self.folders.append(Path(data.decode("utf-8", "surrogateescape")))
            elif kind == START_RECORD:
                self.start = dict(json.loads(data))
                self._version = SCHEMA.version_of(self.start)
            elif kind == BASE_RECORD:
                self.base = dict(json.loads(data))
                self._from_base = {
                    serial for _, _, tiles in self.base["planes"] for _, _, serial in tiles
                }

    def _find_whole_state(self) -> dict[str, Any] | None:
        """The last state whose tiles are all there, of the present version."""
        for place in reversed(self._states):
            state = SCHEMA.migrate(json.loads(self._read_at(place)), self._version)
            if tile_serials(state) <= self._tiles.keys() | self._from_base:
                return state
        return None

    def _read_at(self, place: Place) -> bytes:
        with self.path.open("rb") as stream:
            stream.seek(place[0])
            return stream.read(place[1])

    def tiles(self, serials: set[int]) -> Iterator[tuple[int, Pixels]]:
        """The pixels of those tiles that the file holds, each 256 x 256 x channels uint8, 0..255.

        Raises OSError, ValueError or zlib.error.
        """
        with self.path.open("rb") as stream:
            for serial in sorted(serials & self._tiles.keys(), key=lambda s: self._tiles[s]):
                offset, length = self._tiles[serial]
                stream.seek(offset)
                yield serial, _unpack_tile(stream.read(length))

    def blob(self, number: int) -> bytes:
        """Raises KeyError when there is none of that number, OSError."""
        return self._read_at(self._blobs[number])[8:]


def tile_serials(facts: Any) -> set[int]:
    """Serials of every tile below a state or node."""
    serials = {
        serial for plane in facts.get("planes", {}).values() for _, _, serial in plane["tiles"]
    }
    return serials.union(*(tile_serials(child) for child in facts.get("children", ())))


def _unpack_tile(data: bytes) -> Pixels:
    _, channels = SERIAL.unpack_from(data)
    packed, sides = data[SERIAL.size :], (TILE, TILE, channels & ~IS_PLAIN)
    raw = packed if channels & IS_PLAIN else inflate(packed, TILE * TILE * sides[2])
    return np.frombuffer(raw, np.uint8).reshape(sides).copy()


def inflate(data: bytes, size: int) -> bytes:
    """Decompress to exactly so many bytes. Raises ValueError or zlib.error for anything else."""
    stream = zlib.decompressobj()
    raw = stream.decompress(data, size) if size > 0 else b""
    if len(raw) != size:
        raise ValueError(f"{len(raw)} bytes where {size} were written")
    return raw
