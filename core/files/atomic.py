"""Saving that cannot lose what was there: write beside, flush, exchange; one window per file."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from core.errors import FileError
from core.settings import folders

BACKUP = "~"
"""Added to the name of the version before the last save."""


def atomic_write(path: Path, write: Callable[[BinaryIO], object], keep: bool = True) -> None:
    """Call ``write`` with an open file beside path, flush it to the disk, then exchange the two.

    The version before is kept with a ``~`` at its end when ``keep`` is set. Raises FileError in
    one sentence when the folder cannot be written or the disk is full; path is then as it was.
    """
    try:
        _write_beside(path, write, keep)
    except OSError as error:
        raise FileError(_sentence(path, error)) from error


def _write_beside(path: Path, write: Callable[[BinaryIO], object], keep: bool) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".part", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        else:
            beside.chmod(0o666 & ~_mask())
        if keep and path.exists():
            _keep(path)
        beside.replace(path)
        _flush_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _keep(path: Path) -> None:
    """A second name for the present version, without a moment in which there is none."""
    backup = path.with_name(path.name + BACKUP)
    with suppress(FileNotFoundError):
        backup.unlink()
    try:
        os.link(path, backup)
    except OSError:
        backup.write_bytes(path.read_bytes())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sentence(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{path.name} was not saved: the disk is full. The file is as it was before."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return (
            f"{path.name} was not saved: {path.parent} may not be written. Choose another folder."
        )
    if error.errno == errno.ENOENT:
        return f"{path.name} was not saved: the folder {path.parent} does not exist."
    return f"{path.name} was not saved: {error.strerror or error}."


class Lock:
    """Says that one running window has a file open; forgotten with its process."""

    def __init__(self, path: Path) -> None:
        name = hashlib.blake2b(str(path.resolve()).encode(), digest_size=12).hexdigest()
        self.path = path
        self._file = folders().data / "locks" / f"{name}.json"

    @property
    def holder(self) -> int | None:
        """The process that has the file open, when that is a living one other than this."""
        import psutil

        try:
            held = json.loads(self._file.read_text())
            process = psutil.Process(int(held["pid"]))
            alive = abs(process.create_time() - float(held["started"])) < 1
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None
        return process.pid if alive and process.pid != os.getpid() else None

    def take(self) -> None:
        """Raises FileError when another window has the file open."""
        import psutil

        if self.holder is not None:
            raise FileError(
                f"{self.path.name} is open in another Sfumato window: "
                "close it there, or open a copy under another name."
            )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        started = psutil.Process().create_time()
        self._file.write_text(json.dumps({"pid": os.getpid(), "started": started}))

    def release(self) -> None:
        if self.holder is None:
            with suppress(FileNotFoundError):
                self._file.unlink()


@contextmanager
def translate_read_errors(path: Path) -> Iterator[None]:
    """Turn what can go wrong while opening a file into a FileError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise FileError(f"{path} is a folder, not a picture.") from error
    except PermissionError as error:
        raise FileError(f"{path.name} may not be read.") from error
    except MemoryError as error:
        raise FileError(f"{path.name} is too large for this computer's memory.") from error
