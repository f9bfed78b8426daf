"""A stranger's zip archive: entries by plain names, read within limits."""

import re
import struct
import zipfile
from collections.abc import Iterable

from core.errors import FileError
from core.formats.limits import (
    MAX_BYTES,
    MAX_ENTRIES,
    MAX_KEPT_BYTES,
    MAX_TEXT_BYTES,
    refuse_size,
    refuse_total,
)

PNG_START = b"\x89PNG\r\n\x1a\n"
SIZE_AT = slice(16, 24)
"""Where a PNG file holds its width and height."""
SPARE_BYTES = 64 << 20
"""Bytes of a picture besides its pixels: profile and metadata."""
BYTES_PER_PIXEL = 9
"""Bytes that a pixel of a PNG picture may take: four numbers of 16 bits, and some to spare."""


class Archive:
    """The entries of an open archive; ``name`` is what the person calls the file."""

    def __init__(self, name: str, archive: zipfile.ZipFile, file_bytes: int) -> None:
        """Raises FileError for an archive that no program writes."""
        self.name = name
        self.file_bytes = file_bytes
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_BYTES:
            raise self.refusal("unpacked it would be larger than 4 GB or 20,000 entries")
        for entry in entries:
            parts = _plain_name(entry.filename).split("/")
            if ".." in parts or ":" in parts[0]:
                raise self.refusal(f"it holds an entry outside itself, {entry.filename!r}")
            self._entries["/".join(parts)] = entry
        if "mimetype" not in self or "stack.xml" not in self:
            raise self.refusal("it is a zip file but not an OpenRaster picture")

    def __contains__(self, name: str) -> bool:
        return _plain_name(name) in self._entries

    def refusal(self, why: str) -> FileError:
        """The error that says why the file is not opened."""
        return FileError(f"{self.name} was not opened: {why}.")

    def label(self, name: str) -> str:
        """What the person calls an entry of the file."""
        return f"{name} in {self.name}"

    def read_text(self, name: str, limit: int = MAX_TEXT_BYTES) -> bytes:
        """The bytes of a text. Raises FileError when it is missing or too long."""
        return self._read(name, limit)

    def read_picture(self, name: str) -> bytes:
        """The bytes of a picture. Raises FileError when there are more than it can need."""
        width, height = self._picture_size(name)
        return self._read(name, width * height * BYTES_PER_PIXEL + SPARE_BYTES)

    def refuse_pictures(self, names: Iterable[str]) -> None:
        """Look at the sizes of pictures, decoding none.

        Raises FileError when one is missing, is none, or they are too large together.
        """
        plain = {_plain_name(name): name for name in names}
        sizes = [self._picture_size(name) for name in plain.values()]
        refuse_total(self.name, sum(w * h for w, h in sizes), self.file_bytes)

    def read_folder(self, folder: str, without: str) -> dict[str, bytes]:
        """All entries of a folder but those of one inside it. Raises FileError for too many."""
        names = [n for n in self._entries if n.startswith(folder) and not n.startswith(without)]
        if sum(self._entries[name].file_size for name in names) > MAX_KEPT_BYTES:
            raise self.refusal("it holds more of a newer Sfumato than can be kept")
        return {name: self._read(name, MAX_KEPT_BYTES) for name in names}

    def _picture_size(self, name: str) -> tuple[int, int]:
        with self._archive.open(self._entry(name)) as stream:
            start = stream.read(SIZE_AT.stop)
        if not start.startswith(PNG_START) or len(start) < SIZE_AT.stop:
            raise FileError(f"{self.label(name)} is damaged: it is no PNG picture.")
        width, height = struct.unpack(">II", start[SIZE_AT])
        refuse_size(self.label(name), width, height)
        return width, height

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = self._entries.get(_plain_name(name))
        if entry is None:
            raise self.refusal(f"{name} is missing from it")
        return entry

    def _read(self, name: str, limit: int) -> bytes:
        entry = self._entry(name)
        if entry.file_size > limit:
            raise self.refusal(f"{name} in it is unreasonably large")
        with self._archive.open(entry) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise self.refusal(f"{name} in it is unreasonably large")
        return data


def _plain_name(name: str) -> str:
    """An entry's name as other writers may have put it: with a leading slash or ``./``."""
    return re.sub(r"^(\.?/)+", "", name.replace("\\", "/"))
