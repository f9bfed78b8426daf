"""Locks of the operating system: they end with their process, whatever clocks and numbers say."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout, lock_descriptor

from core.errors import FileError

SUFFIX = ".lock"


def take_lock(path: Path) -> BaseFileLock | None:
    """Lock a file made for that purpose; None while another process, or this one, holds it.

    Raises OSError where there is no room or no permission, or no locks at all.
    """
    lock = _lock_of(path, is_shared_in_process=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except NotImplementedError as error:
        raise OSError(0, "this file system has no locks") from error
    return lock


def _lock_of(path: Path, is_shared_in_process: bool) -> BaseFileLock:
    # Held by the process and not by one thread; and never by a mere file that a crash leaves.
    return FileLock(
        path,
        thread_local=False,
        is_singleton=is_shared_in_process,
        fallback_to_soft=False,
    )


class Lock:
    """Marks a file as open in one window; two names of one file are one file.

    The locks lie in a folder of their own. Where that cannot be written there is no lock: a
    picture must open and be saved all the same.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._folder = folder
        self._held: list[BaseFileLock] = []

    def take(self) -> None:
        """Raises FileError when another window has the file open."""
        if self._held:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for key in _keys(self.path):
                self._take_key(key)
        except (OSError, NotImplementedError):
            self.release()
        except FileError:
            self.release()
            raise

    def _take_key(self, key: str) -> None:
        name = hashlib.blake2b(os.fsencode(key), digest_size=12).hexdigest()
        note = self._folder / (name + SUFFIX)
        lock = _lock_of(note, is_shared_in_process=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if self._is_about_another_file(note):
                return
            raise FileError(
                f"{self.path.name} is open in another Sfumato window: "
                "close it there, or open a copy under another name."
            ) from None
        self._held.append(lock)
        with suppress(OSError):
            note.write_bytes(os.fsencode(self.path.resolve()))

    def _is_about_another_file(self, note: Path) -> bool:
        """Whether the holder's file has been replaced, and this one got its number on the disk."""
        try:
            holder = os.fsdecode(note.read_bytes())
            return bool(holder) and not os.path.samefile(holder, self.path)
        except (OSError, ValueError):
            return False

    def release(self) -> None:
        """Let other windows open the file."""
        held, self._held = self._held, []
        for lock in held:
            if lock.lock_counter == 1:
                with suppress(OSError):
                    Path(lock.lock_file).unlink()
            with suppress(OSError):
                lock.release()


def _keys(path: Path) -> Iterator[str]:
    """What names a file: its place, and its number on the disk, which hard links share."""
    yield f"path {os.path.normcase(path.resolve())}"
    with suppress(OSError):
        facts = path.stat()
        if facts.st_ino:
            yield f"file {facts.st_dev} {facts.st_ino}"


def remove_dead_locks(folder: Path) -> None:
    """Delete the lock files of processes that are no more."""
    with suppress(OSError):
        for path in [*folder.glob("*" + SUFFIX), *folder.glob("*.json")]:
            lock = take_lock(path)
            if lock is not None:
                with suppress(OSError):
                    path.unlink()
                lock.release()


@contextmanager
def mark_in_use(path: Path) -> Iterator[None]:
    """Keep a file from ``remove_if_dead`` meanwhile; without effect where there are no locks."""
    if os.name == "nt":
        # There a file that is open cannot be renamed.
        yield
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        with suppress(OSError):
            lock_descriptor(descriptor, blocking=False)
        yield
    finally:
        os.close(descriptor)


def remove_if_dead(path: Path) -> None:
    """Delete a file unless a running process has it open and marked."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR)
        try:
            is_dead = lock_descriptor(descriptor, blocking=False)
        finally:
            os.close(descriptor)
        if is_dead:
            path.unlink()
