"""One window per file, and locks of processes that are no more."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core.errors import FileError
from core.files.lock import Lock


def test_a_second_window_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    lock = Lock(path, tmp_path)
    lock.take()
    lock.take()
    wait = "import sys; sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", wait], stdin=subprocess.PIPE)
    facts = {"pid": other.pid, "started": psutil.Process(other.pid).create_time()}
    lock._file.write_text(json.dumps(facts))
    with pytest.raises(FileError, match=r"a\.ora is open in another Sfumato window"):
        Lock(path, tmp_path).take()
    lock.release()
    assert lock._file.exists()
    other.communicate()
    Lock(path, tmp_path).take()
    Lock(path, tmp_path).release()
    assert not lock._file.exists()


def test_a_damaged_lock_is_taken_over(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "a.ora", tmp_path)
    lock.take()
    lock._file.write_text("nonsense")
    assert lock.holder is None
    Lock(tmp_path / "a.ora", tmp_path).take()
