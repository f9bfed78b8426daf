"""Writing a file so that a crash leaves either the old version or the new one, both whole."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from core.errors import FileError
from core.files.lock import mark_in_use, remove_if_dead

BACKUP_SUFFIX = "~"
"""Added to the name of the version before the last save."""
PREFIX, SUFFIX = ".sfumato-", ".part"
"""How the name of a file begins and ends while it is written."""


def atomic_write(
    path: Path,
    write: Callable[[BinaryIO], object],
    keep: bool = True,
    check: Callable[[Path], object] | None = None,
) -> None:
    """Replace a file by what ``write`` puts into an open stream.

    The version before is kept with a ``~`` at its end when ``keep`` is set. ``check`` reads the new
    file before it takes the old one's place. Raises FileError in one sentence when the file is
    read-only, the folder cannot be written, the disk is full or the check fails; path is then as
    it was.
    """
    refuse_unwritable(path)
    try:
        replace_file(path, write, keep, check=check)
    except OSError as error:
        raise FileError(_describe_error(path, error)) from error


def replace_file(
    path: Path,
    write: Callable[[BinaryIO], object],
    keep: bool = False,
    is_private: bool = False,
    check: Callable[[Path], object] | None = None,
) -> None:
    """Write a temporary file in the same folder, flush it to the disk and rename it to path.

    A private file can be read by its owner alone. A link stays, and what it points to is replaced.
    A file with several names (hard links) stays one file: it is written through in place, after the
    new version is whole beside it and the old one is copied, so a crash then damages neither.
    Raises OSError, or what ``check`` raises of the new file; path is then as it was.
    """
    path = path.resolve() if path.is_symlink() else path
    # Not named after the file: its name may be as long as a name can be.
    handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with mark_in_use(temporary):
            with os.fdopen(handle, "wb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            if check is not None:
                check(temporary)
            if not is_private:
                temporary.chmod(_usual_mode(path))
            if has_other_names(path):
                _write_through(temporary, path, keep)
            else:
                if keep and path.exists():
                    _keep_version(path)
                temporary.replace(path)
        _flush_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def has_other_names(path: Path) -> bool:
    """Whether a file has further names on the disk; the version kept beside it is none."""
    if not path.exists():
        return False
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    own = 2 if _is_same_file(backup, path) else 1
    return path.stat().st_nlink > own


def _is_same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False


def _write_through(temporary: Path, path: Path, keep: bool) -> None:
    """Put the content of a new version into a file that keeps all its names.

    Raises OSError; the file then holds its old content, where there is room for that.
    """
    old = path.read_bytes()
    if keep:
        _keep_copy(path, old)
    with temporary.open("rb") as source, path.open("r+b") as stream:
        new = source.read()
        try:
            # Nothing of the old content is lost where the disk has no room for the new one.
            stream.seek(0, os.SEEK_END)
            stream.write(bytes(max(0, len(new) - len(old))))
            stream.flush()
            os.fsync(stream.fileno())
            _overwrite(stream, new)
        except OSError:
            _overwrite(stream, old)
            raise


def _overwrite(stream: BinaryIO, content: bytes) -> None:
    stream.seek(0)
    stream.write(content)
    stream.truncate()
    stream.flush()
    os.fsync(stream.fileno())


def _keep_copy(path: Path, content: bytes) -> None:
    """The present version under its second name, as a file of its own."""
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    try:
        backup.unlink(missing_ok=True)
        with backup.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        # A name that is too long by one has no second one; saving goes on without.
        if error.errno != errno.ENAMETOOLONG:
            raise


def remove_leftovers(folder: Path) -> None:
    """Delete what a process that is no more was writing into a folder when it ended."""
    with suppress(OSError):
        for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
            remove_if_dead(path)


def refuse_unwritable(path: Path) -> None:
    """Raises FileError in one sentence for a place where no file can be written."""
    if not path.parent.is_dir():
        missing = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        raise FileError(_describe_error(path, missing))
    if path.is_dir():
        raise FileError(f"{path.name} was not saved: there is a folder of that name.")
    if path.exists() and not path.stat().st_mode & 0o222:
        # Whoever asks: an administrator may write it, but somebody meant it to stay.
        raise FileError(f"{path.name} was not saved: it is read-only. Choose another name.")


def _usual_mode(path: Path) -> int:
    """The permissions of the present version, or those that a new file gets."""
    return path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_permission_mask()


def _permission_mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _keep_version(path: Path) -> None:
    """A second name for the present version, without a moment in which there is none."""
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    try:
        backup.unlink(missing_ok=True)
        _link_or_copy(path, backup)
    except OSError as error:
        # A name that is too long by one has no second one; saving goes on without.
        if error.errno != errno.ENAMETOOLONG:
            raise


def _link_or_copy(path: Path, backup: Path) -> None:
    try:
        os.link(path, backup)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        backup.write_bytes(path.read_bytes())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _describe_error(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{path.name} was not saved: the disk is full. The file is as it was before."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return (
            f"{path.name} was not saved: {path.parent} may not be written. Choose another folder."
        )
    if error.errno == errno.ENOENT:
        return f"{path.name} was not saved: the folder {path.parent} does not exist."
    return f"{path.name} was not saved: {error.strerror or error}."


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
