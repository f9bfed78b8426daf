"""One window per file: two processes never both, two names of one file, clocks that change."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import FileError
from core.files.lock import Lock, mark_in_use, remove_dead_locks, remove_if_dead, take_lock

OTHER = """
import sys
from pathlib import Path
from core.errors import FileError
from core.files.lock import Lock
kept = []
for line in sys.stdin:
    lock = Lock(Path(line.strip()), Path(sys.argv[1]))
    try:
        lock.take()
    except FileError as error:
        print(error, flush=True)
    else:
        kept.append(lock)
        print("taken", flush=True)
"""


class Window:
    """Another process, which takes locks and keeps them until it ends."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, path: Path) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def take(self, path: Path) -> str:
        self.ask(path)
        return self.answer()


@contextmanager
def window(folder: Path) -> Iterator[Window]:
    made = Window(folder)
    try:
        yield made
    finally:
        made.process.communicate()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.ora"
    path.write_bytes(b"x")
    return path


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    return tmp_path / "locks"


def test_a_second_window_is_refused_until_the_first_ends(picture: Path, locks: Path) -> None:
    with window(locks) as first:
        assert first.take(picture) == "taken"
        with pytest.raises(FileError, match=r"a\.ora is open in another Sfumato window"):
            Lock(picture, locks).take()
        first.process.kill()
        first.process.wait()
        lock = Lock(picture, locks)
        lock.take()
        lock.release()
    assert not list(locks.glob(f"{'?' * 24}.lock")), "what was held leaves nothing behind"


def test_a_lock_that_is_given_back_is_free(picture: Path, locks: Path) -> None:
    with window(locks) as other:
        first, second = Lock(picture, locks), Lock(picture, locks)
        first.take()
        first.take()
        second.take()
        first.release()
        assert "another Sfumato window" in other.take(picture), "the second still holds it"
        second.release()
        assert other.take(picture) == "taken"


@pytest.mark.parametrize("kind", ["hard link", "symbolic link", "relative"])
def test_two_names_of_one_file_are_one_file(
    picture: Path, locks: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = picture.with_name("b.ora")
    if kind == "hard link":
        os.link(picture, other)
    elif kind == "symbolic link":
        other.symlink_to(picture)
    with window(locks) as first:
        assert first.take(picture) == "taken"
        if kind == "relative":
            monkeypatch.chdir(picture.parent)
            other = Path("a.ora")
        with pytest.raises(FileError, match="another Sfumato window"):
            Lock(other, locks).take()


def test_a_new_file_with_the_number_of_a_replaced_one_is_free(picture: Path, locks: Path) -> None:
    """Another program replaces an open picture; the number on the disk goes to somebody else."""
    with window(locks) as first:
        assert first.take(picture) == "taken"
        moved = picture.with_name("moved.ora")
        picture.rename(moved)
        picture.write_bytes(b"another")
        lock = Lock(moved, locks)
        lock.take()
        lock.release()


def test_two_processes_never_both_get_it(picture: Path, locks: Path) -> None:
    with window(locks) as first, window(locks) as second:
        for number in range(300):
            path = picture.with_name(f"{number}.ora")
            if number % 2:
                path.write_bytes(b"x")
            for process in (first, second):
                process.ask(path)
            answers = [process.answer() for process in (first, second)]
            assert answers.count("taken") <= 1, number


@pytest.mark.parametrize("place", ["file", "proc"])
def test_where_no_lock_can_be_there_is_none_and_nothing_is_raised(
    picture: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    folder = tmp_path / "file" / "locks" if place == "file" else Path("/proc/sfumato/locks")
    lock = Lock(picture, folder)
    lock.take()
    lock.release()


def test_files_of_dead_processes_go_and_those_of_living_ones_stay(
    picture: Path, locks: Path
) -> None:
    with window(locks) as dead, window(locks) as living:
        assert dead.take(picture) == "taken"
        assert living.take(picture.with_name("b.ora")) == "taken"
        dead.process.kill()
        dead.process.wait()
        before = set(locks.iterdir())
        remove_dead_locks(locks)
        assert 0 < len(list(locks.iterdir())) < len(before)
        with pytest.raises(FileError):
            Lock(picture.with_name("b.ora"), locks).take()


def test_a_lock_of_its_own_is_refused_twice_in_one_process_too(tmp_path: Path) -> None:
    first = take_lock(tmp_path / "owner")
    assert first is not None
    assert take_lock(tmp_path / "owner") is None
    first.release()
    again = take_lock(tmp_path / "owner")
    assert again is not None
    again.release()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps open files by itself")
def test_a_file_in_use_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.part"
    path.write_bytes(b"x")
    with mark_in_use(path):
        remove_if_dead(path)
        assert path.exists()
    remove_if_dead(path)
    assert not path.exists()
