"""One version of a file: its content by hash, so that its pixels can be read again later."""

import hashlib
from pathlib import Path
from typing import NamedTuple

HASH_BYTES = 16


class FileVersion(NamedTuple):
    """A file as it was once; ``stamp`` says cheaply whether it may have changed."""

    path: Path
    size: int
    digest: str
    stamp: tuple[int, ...] = ()

    @staticmethod
    def of(path: Path) -> "FileVersion":
        """The version that a path has now. Raises OSError when it cannot be read."""
        path = path.resolve()
        stamp = _stamp(path)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, _new_hash)
            size = stream.tell()
        return FileVersion(path, size, digest.hexdigest(), stamp)

    def is_untouched(self) -> bool:
        """Whether nothing has written to the file since, judged by its stamp."""
        try:
            return _stamp(self.path) == self.stamp
        except OSError:
            return False

    def has_same_content(self) -> bool:
        """Whether the file is there and holds what it held, judged by its hash."""
        try:
            return self.path.stat().st_size == self.size and (
                FileVersion.of(self.path).digest == self.digest
            )
        except (OSError, ValueError):
            return False


def _stamp(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_dev, facts.st_ino


def _new_hash() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=HASH_BYTES)
