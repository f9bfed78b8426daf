"""OpenRaster: the standard's own shape, other programs' files, and hostile ones."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.errors import FileError
from core.formats import ora_writing
from core.formats.opening import open_document, save_document
from core.formats.ora_writing import EXTRA_ENTRY, MIMETYPE
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, walk
from tests.contracts.test_formats import layered

STACK = """<?xml version='1.0' encoding='UTF-8'?>
<image version="0.0.3" w="40" h="30"><stack>
  <stack name="group" opacity="0.5" composite-op="svg:multiply">
    <layer name="top" src="data/top.png" x="5" y="-3" visibility="hidden"/>
  </stack>
  <layer name="ground" src="data/ground.png" composite-op="krita:strange"/>
</stack></image>"""


def png(colour: str, size: tuple[int, int] = (10, 10)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def foreign(path: Path, **entries: bytes) -> Path:
    """A file as another program would write it, some entries exchanged."""
    whole = {
        "mimetype": MIMETYPE.encode(),
        "stack.xml": STACK.encode(),
        "data/top.png": png("#ff000080"),
        "data/ground.png": png("#00ff00", (40, 30)),
        "mergedimage.png": png("#00ff00", (40, 30)),
    }
    whole |= {name.replace("__", "/").replace("_dot_", "."): data for name, data in entries.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in whole.items():
            archive.writestr(name, data)
    return path


def test_the_entries_are_those_of_the_standard(tmp_path: Path) -> None:
    save_document(layered(), tmp_path / "a.ora")
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        image = ElementTree.fromstring(archive.read("stack.xml"))
        assert (image.get("w"), image.get("h")) == ("301", "203")
        names = [layer.get("name") for layer in image.iter("layer")]
        assert names == ["a cat", "Ünïcode ink", "ground"]
        ink = next(layer for layer in image.iter("layer") if layer.get("name") == "Ünïcode ink")
        assert ink.get("composite-op") == "svg:multiply"
        assert (ink.get("x"), ink.get("y")) == ("-15", "37")
        merged = Image.open(io.BytesIO(archive.read("mergedimage.png")))
        thumbnail = Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png")))
        assert merged.size == (301, 203)
        assert max(thumbnail.size) == 256
        assert json.loads(archive.read(EXTRA_ENTRY))["version"] == 1


def test_another_programs_file_opens(tmp_path: Path) -> None:
    document = open_document(foreign(tmp_path / "other.ora"))
    ground, group, top = walk(document.root)
    assert (ground.name, ground.blend) == ("ground", "krita:strange")
    assert (group.name, group.opacity, group.blend) == ("group", 0.5, "multiply")
    assert isinstance(group, Group)
    assert not top.visible
    pixels = flatten(document.root, document.bounds)
    assert pixels[15, 20].tolist() == [0, 255, 0, 255]


def test_without_our_entry_the_layers_are_still_there(tmp_path: Path) -> None:
    save_document(layered(), tmp_path / "a.ora")
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        entries = {n: archive.read(n) for n in archive.namelist() if not n.startswith("sfumato/")}
    with zipfile.ZipFile(tmp_path / "b.ora", "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    document = open_document(tmp_path / "b.ora")
    assert [node.name for node in walk(document.root)] == ["ground", "Ünïcode ink", "both", "a cat"]
    assert not any(isinstance(node, AiLayer) for node in walk(document.root))


@pytest.mark.parametrize(
    "facts",
    [
        b"not json",
        b"[]",
        b'{"nodes": [{"name": "ground", "kind": "ai", "recipe": 3}]}',
        b'{"nodes": [7, null, "x"]}',
        b'{"nodes": [{"name": "ground", "kind": "ai", "recipe": {"technique": "gone"}, '
        b'"position": ["a", 1]}]}',
    ],
)
def test_hostile_facts_cost_at_most_the_recipe(tmp_path: Path, facts: bytes) -> None:
    path = foreign(tmp_path / "odd.ora", sfumato__document_dot_json=facts)
    assert len(open_document(path).root.children) == 2


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"mimetype": b"image/png"}, "not an OpenRaster"),
        ({"stack_dot_xml": b"<image"}, "layer list"),
        ({"stack_dot_xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><image w='1' h='1'/>"}, "layer list"),
        ({"stack_dot_xml": b"<image w='40' h='30'/>"}, "no stack"),
        ({"stack_dot_xml": b"<image w='9999999' h='30'><stack/></image>"}, "pixels"),
        ({"stack_dot_xml": b"<image w='-4' h='nan'><stack/></image>"}, "damaged"),
        ({"stack_dot_xml": STACK.replace("top.png", "gone.png").encode()}, "missing"),
        ({"data__top_dot_png": b"\x89PNG not really"}, "damaged"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, entries: dict[str, bytes], why: str) -> None:
    with pytest.raises(FileError, match=why) as caught:
        open_document(foreign(tmp_path / "bad.ora", **entries))
    assert "bad.ora" in str(caught.value)


@pytest.mark.parametrize("name", ["../evil.png", "/../evil.png", "a/../../evil.png", "c:/x.png"])
def test_entries_outside_the_file_are_refused(tmp_path: Path, name: str) -> None:
    path = foreign(tmp_path / "evil.ora")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(FileError, match="outside"):
        open_document(path)


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ora"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIMETYPE)
        with archive.open("stack.xml", "w") as stream:
            for _ in range(80):
                stream.write(b" " * (1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(FileError, match="unreasonably large"):
        open_document(path)


def test_saving_again_is_the_same_to_the_bit(tmp_path: Path) -> None:
    document = layered()
    save_document(document, tmp_path / "a.ora")
    again = open_document(tmp_path / "a.ora")
    save_document(again, tmp_path / "b.ora")
    last = open_document(tmp_path / "b.ora")
    assert np.array_equal(flatten(last.root, last.bounds), flatten(document.root, document.bounds))


@pytest.mark.parametrize("prefix", ["/", "./", "//", ".//./"])
def test_names_that_begin_like_paths_open(tmp_path: Path, prefix: str) -> None:
    path = foreign(tmp_path / "plain.ora")
    other = tmp_path / "other.ora"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as archive:
        for entry in source.infolist():
            name = entry.filename if entry.filename == "mimetype" else prefix + entry.filename
            archive.writestr(name, source.read(entry))
    expected, found = open_document(path), open_document(other)
    assert np.array_equal(
        flatten(found.root, found.bounds), flatten(expected.root, expected.bounds)
    )


@pytest.mark.parametrize(
    "name",
    ["a red\x0bmushroom", "\x1b[1mbold", "odd\uffff", "cat\ud83d", "a\x00b", "tab\tline\n", "\x01"],
)
def test_a_name_that_xml_cannot_hold_comes_back(tmp_path: Path, name: str) -> None:
    path, document = tmp_path / "named.ora", layered()
    node = document.root.children[0]
    document.replace("Rename", replace(node, name=name))
    save_document(document, path)
    assert open_document(path).root.children[0].name == name
    with zipfile.ZipFile(path) as archive:
        ElementTree.fromstring(archive.read("stack.xml"))


def test_what_cannot_be_read_back_never_takes_the_old_files_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, document = tmp_path / "kept.ora", layered()
    save_document(document, path)
    before = path.read_bytes()
    monkeypatch.setattr(ora_writing, "clean_xml", lambda text: text)
    document.replace("Rename", replace(document.root.children[0], name="broken\x0b"))
    with pytest.raises(FileError, match=r"kept.ora was not saved: .* cannot be read back"):
        save_document(document, path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kept.ora"]
