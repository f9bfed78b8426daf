"""Small pictures of recent files: a stranger's file costs its picture and nothing else."""

import zipfile
from pathlib import Path

import pytest

from core.formats.opening import save_document
from editor.shell.start_page import MAX_THUMBNAIL_BYTES, _thumbnail
from tests.contracts.test_formats import layered

pytestmark = pytest.mark.gui
ENTRY = "Thumbnails/thumbnail.png"


@pytest.fixture
def path(tmp_path: Path, qapp: object) -> Path:
    save_document(layered(), tmp_path / "a.ora")
    return tmp_path / "a.ora"


def test_a_file_shows_its_small_picture(path: Path) -> None:
    assert max(_thumbnail(path).width(), _thumbnail(path).height()) == 256


def test_a_small_picture_that_unpacks_to_much_is_not_unpacked(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        data = archive.read(ENTRY)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ENTRY, data + bytes(MAX_THUMBNAIL_BYTES))
    assert _thumbnail(path).isNull()


@pytest.mark.parametrize("place", [40, 60, 80, 120, 200])
def test_a_damaged_one_is_none(path: Path, place: int) -> None:
    with zipfile.ZipFile(path) as archive:
        data = archive.read(ENTRY)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ENTRY, data)
    raw = bytearray(path.read_bytes())
    raw[place] ^= 255
    path.write_bytes(bytes(raw))
    _thumbnail(path)
    path.write_bytes(bytes(raw[:place]))
    assert _thumbnail(path).isNull()
