"""A save either happens whole or not at all."""

import errno
import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from core.errors import FileError
from core.files.atomic import atomic_write, refuse_unwritable, replace_file


def write(path: Path, message: bytes) -> None:
    atomic_write(path, lambda stream: stream.write(message))


def test_the_version_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    write(path, b"one")
    write(path, b"two")
    write(path, b"three")
    assert path.read_bytes() == b"three"
    assert (tmp_path / "a.ora~").read_bytes() == b"two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ora", "a.ora~"]


def test_a_crash_while_writing_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    write(path, b"one")

    def half(stream: BinaryIO) -> None:
        stream.write(b"tw")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, half)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ora"]
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "Input/output"),
    ],
)
def test_what_went_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    path = tmp_path / "a.ora"
    write(path, b"one")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("core.files.atomic.os.fsync", fail)
    with pytest.raises(FileError, match=message):
        write(path, b"two")
    assert path.read_bytes() == b"one"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="gone does not exist"):
        write(tmp_path / "gone" / "a.ora", b"one")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_private_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (b"one", b"two"):
        replace_file(path, lambda stream, data=content: stream.write(data), is_private=True)  # type: ignore[misc]
        assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_outlive_saving(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    write(path, b"one")
    path.chmod(0o640)
    write(path, b"two")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "art.ora", tmp_path / "art.ora"
    write(target, b"old")
    link.symlink_to("real/art.ora")
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert (tmp_path / "real" / "art.ora~").read_bytes() == b"old"


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "final.png"
    write(path, b"old")
    path.chmod(0o444)
    with pytest.raises(FileError, match="read-only"):
        write(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_file_that_fails_its_check_is_not_put_in_place(tmp_path: Path) -> None:
    path = tmp_path / "art.ora"
    write(path, b"old")

    def check(written: Path) -> None:
        assert written.read_bytes() == b"new"
        raise FileError("It cannot be read.")

    with pytest.raises(FileError, match="cannot be read"):
        atomic_write(path, lambda stream: stream.write(b"new"), check=check)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["art.ora"]


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".ora")
    write(path, b"old")
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "why"), [("missing/a.png", "does not exist"), ("folder", "a folder of that name")]
)
def test_a_place_where_nothing_can_be_written_is_refused(
    tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=why):
        refuse_unwritable(tmp_path / name)


def test_a_file_with_several_names_stays_one_file(tmp_path: Path) -> None:
    path, other = tmp_path / "a.ora", tmp_path / "elsewhere.ora"
    write(path, b"one, which is longer")
    os.link(path, other)
    for message in (b"two", b"three is longer than all before"):
        before = path.read_bytes()
        write(path, message)
        assert path.samefile(other)
        assert other.read_bytes() == message
        assert (tmp_path / "a.ora~").read_bytes() == before
        assert not (tmp_path / "a.ora~").samefile(path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_link_to_a_file_with_several_names_is_followed(tmp_path: Path) -> None:
    path, other, link = tmp_path / "a.ora", tmp_path / "b.ora", tmp_path / "link.ora"
    write(path, b"one")
    os.link(path, other)
    link.symlink_to("a.ora")
    write(link, b"two")
    assert link.is_symlink()
    assert path.read_bytes() == other.read_bytes() == b"two"


def test_a_version_kept_by_a_save_that_was_cut_off_is_no_other_name(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    write(path, b"one")
    os.link(path, tmp_path / "a.ora~")
    write(path, b"two")
    assert (tmp_path / "a.ora~").read_bytes() == b"one"
    assert path.stat().st_nlink == 1


@pytest.mark.parametrize("call", [2, 3, 4])
def test_a_full_disk_leaves_a_file_with_several_names_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """The disk is full at the copy, at the room for the new content, or at the content."""
    path, other = tmp_path / "a.ora", tmp_path / "b.ora"
    write(path, b"one")
    os.link(path, other)
    calls, plain = [0], os.fsync

    def full(handle: int) -> None:
        calls[0] += 1
        if calls[0] == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain(handle)

    monkeypatch.setattr("core.files.atomic.os.fsync", full)
    with pytest.raises(FileError, match="disk is full"):
        write(path, b"two is longer")
    assert path.read_bytes() == other.read_bytes() == b"one"
    assert path.samefile(other)
