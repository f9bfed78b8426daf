"""A save either happens whole or not at all; one window per file."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import psutil
import pytest

from core.errors import FileError
from core.files.atomic import Lock, atomic_write


def text(path: Path, words: bytes) -> None:
    atomic_write(path, lambda stream: stream.write(words))


def test_the_version_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    text(path, b"one")
    text(path, b"two")
    text(path, b"three")
    assert path.read_bytes() == b"three"
    assert (tmp_path / "a.ora~").read_bytes() == b"two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ora", "a.ora~"]


def test_a_crash_while_writing_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    text(path, b"one")

    def half(stream: BinaryIO) -> None:
        stream.write(b"tw")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, half)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ora"]
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "Input/output"),
    ],
)
def test_what_went_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    path = tmp_path / "a.ora"
    text(path, b"one")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("core.files.atomic.os.fsync", fail)
    with pytest.raises(FileError, match=words):
        text(path, b"two")
    assert path.read_bytes() == b"one"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="gone does not exist"):
        text(tmp_path / "gone" / "a.ora", b"one")


def test_a_second_window_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    lock = Lock(path)
    lock.take()
    lock.take()
    wait = "import sys; sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", wait], stdin=subprocess.PIPE)
    facts = {"pid": other.pid, "started": psutil.Process(other.pid).create_time()}
    lock._file.write_text(json.dumps(facts))
    with pytest.raises(FileError, match=r"a\.ora is open in another Sfumato window"):
        Lock(path).take()
    lock.release()
    assert lock._file.exists()
    other.communicate()
    Lock(path).take()
    Lock(path).release()
    assert not lock._file.exists()


def test_a_damaged_lock_is_taken_over(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "a.ora")
    lock.take()
    lock._file.write_text("nonsense")
    assert lock.holder is None
    Lock(tmp_path / "a.ora").take()
