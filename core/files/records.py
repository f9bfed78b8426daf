"""Checked records in one file: added at its end, read up to the first that is torn or damaged."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct("<4sBQI")
"""Mark, kind, length of what follows, its checksum."""
MARK_NAME, MARK_VERSION = b"SFJ", 1
MARK = b"%s%d" % (MARK_NAME, MARK_VERSION)
"""What every record begins with: a name, and the version of how records are laid out."""
TILE_RECORD, STATE_RECORD, START_RECORD, BASE_RECORD, BLOB_RECORD, FOLDER_RECORD = 1, 2, 3, 4, 5, 6
MAX_RECORD_BYTES = 1 << 30


class RecordWriter:
    """Adds records to a new file. What it has added survives the end of the process at once.

    Raises OSError when the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        # Unbuffered: a full disk must not leave anything behind that is written later.
        self._file = path.open("xb", buffering=0)

    def append(self, kind: int, data: bytes) -> None:
        """Raises OSError when there is no room; the records before are as they were."""
        record = HEADER.pack(MARK, kind, len(data), zlib.crc32(data)) + data
        self._file.seek(self.size)
        rest = memoryview(record)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size += len(record)

    def sync(self) -> None:
        """Wait until the records would survive a loss of power too. Raises OSError."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


class Record(NamedTuple):
    """One whole record, and where its data begins in the file."""

    kind: int
    data: bytes
    offset: int


def read_records(path: Path, offset: int = 0) -> Iterator[Record]:
    """Whole records up to the first that is torn or damaged. Raises OSError."""
    with path.open("rb") as stream:
        end = os.fstat(stream.fileno()).st_size
        stream.seek(offset)
        while True:
            head = stream.read(HEADER.size)
            if len(head) < HEADER.size:
                return
            mark, kind, length, checksum = HEADER.unpack(head)
            start = stream.tell()
            if mark != MARK or length > min(MAX_RECORD_BYTES, end - start):
                return
            data = stream.read(length)
            if len(data) < length or zlib.crc32(data) != checksum:
                return
            yield Record(kind, data, start)


def newer_mark(path: Path) -> int | None:
    """The version of how records are laid out where that is not known yet. Raises OSError."""
    with path.open("rb") as stream:
        mark = stream.read(len(MARK))
    version = mark[len(MARK_NAME) :]
    is_newer = mark.startswith(MARK_NAME) and version.isdigit() and int(version) > MARK_VERSION
    return int(version) if is_newer else None
