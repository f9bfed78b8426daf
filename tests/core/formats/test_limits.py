"""Tiny files that ask for much: refused in one sentence, with nothing decoded."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from core.errors import FileError
from core.formats import decoding
from core.formats.limits import (
    MAX_ALL_PIXELS,
    MAX_DEPTH,
    MAX_LAYERS,
    MAX_NESTING,
    PIXELS_PER_BYTE,
    parse_json,
    refuse_total,
)
from core.formats.opening import open_document
from core.formats.ora_writing import EXTRA_ENTRY, MIMETYPE
from core.paint.layers import Layer, walk


def png(mode: str = "1", size: tuple[int, int] = (1, 1)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


def archive(path: Path, stack: str, entries: dict[str, bytes], side: int = 64) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", MIMETYPE)
        made.writestr("stack.xml", f'<image w="{side}" h="{side}"><stack>{stack}</stack></image>')
        for name, data in entries.items():
            made.writestr(name, data)
    return path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that were decoded."""
    names: list[str] = []
    plain = decoding.start_decoding

    def start(image: Image.Image) -> decoding.Convert:
        names.append(str(image.size))
        return plain(image)

    monkeypatch.setattr(decoding, "start_decoding", start)
    return names


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        ('<layer src="a.png"/>' * (MAX_LAYERS + 1), "more than 10,000 layers"),
        ("<stack>" * (MAX_DEPTH + 1) + "</stack>" * (MAX_DEPTH + 1), "deep in each other"),
        ("<stack>" * 50_000 + "</stack>" * 50_000, "deep in each other"),
    ],
)
def test_endless_lists_are_refused(
    tmp_path: Path, decoded: list[str], stack: str, why: str
) -> None:
    path = archive(tmp_path / "tiny.ora", stack, {"a.png": png()})
    with pytest.raises(FileError, match=why) as caught:
        open_document(path)
    assert "tiny.ora" in str(caught.value)
    assert not decoded


def test_as_many_groups_and_layers_as_are_promised_open(tmp_path: Path) -> None:
    groups = "<stack>" * MAX_DEPTH + "</stack>" * MAX_DEPTH
    stack = groups + '<layer src="a.png"/>' * 2000
    document = open_document(archive(tmp_path / "deep.ora", stack, {"a.png": png("L")}))
    nodes = list(walk(document.root))
    assert len(nodes) == MAX_DEPTH + 2000
    planes = {id(node.tiles) for node in nodes if isinstance(node, Layer)}
    assert len(planes) == 1, "layers that show one picture share its tiles"


def test_pictures_that_are_too_large_together_are_refused_undecoded(
    tmp_path: Path, decoded: list[str]
) -> None:
    data = bytearray(png("L", (8, 8)))
    data[16:24] = (22_000).to_bytes(4) * 2
    stack = "".join(f'<layer src="{number}.png"/>' for number in range(40))
    entries = {f"{number}.png": bytes(data) for number in range(40)}
    with pytest.raises(FileError, match="million pixels, more than can be opened"):
        open_document(archive(tmp_path / "forty.ora", stack, entries, side=22_000))
    assert not decoded


@pytest.mark.parametrize("plane", ["mask", "region"])
def test_planes_of_ours_count_too(tmp_path: Path, decoded: list[str], plane: str) -> None:
    data = bytearray(png("L", (8, 8)))
    data[16:24] = (30_000).to_bytes(4) * 2
    facts = {"version": 1, "nodes": [{"name": "a", "kind": "ai", plane: {"src": "big.png"}}]}
    entries = {"a.png": png(), "big.png": bytes(data), EXTRA_ENTRY: json.dumps(facts).encode()}
    stack = '<layer name="a" src="a.png"/>'
    with pytest.raises(FileError, match="30000 x 30000"):
        open_document(archive(tmp_path / "mask.ora", stack, entries))
    assert not decoded


def test_the_total_grows_with_the_file() -> None:
    refuse_total("a", MAX_ALL_PIXELS + PIXELS_PER_BYTE * 10, 10)
    with pytest.raises(FileError, match="a was not opened"):
        refuse_total("a", MAX_ALL_PIXELS + PIXELS_PER_BYTE * 10 + 1, 10)


@pytest.mark.parametrize("count", [MAX_NESTING + 1, 900, 100_000])
def test_deep_json_is_refused(count: int) -> None:
    for text in ("[" * count + "]" * count, '{"a":' * count + "1" + "}" * count):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json(text)
    fine = "[" * MAX_NESTING + "]" * MAX_NESTING
    assert parse_json(fine) == json.loads(fine)


@pytest.mark.parametrize("count", [900, 100_000])
def test_deep_json_inside_a_document_costs_what_it_describes(tmp_path: Path, count: int) -> None:
    facts = '{"nodes": [{"name": "a", "recipe": ' + "[" * count + "]" * count + "}]}"
    entries = {"a.png": png("L"), EXTRA_ENTRY: facts.encode()}
    document = open_document(
        archive(tmp_path / "deep.ora", '<layer name="a" src="a.png"/>', entries)
    )
    assert [node.name for node in document.root.children] == ["a"]
    assert document.note == "Some of what Sfumato adds to deep.ora is damaged and was left out."


def test_a_plain_picture_is_stored_once(tmp_path: Path) -> None:
    """A few bytes that unpack to one colour, or to one row again and again."""
    Image.new("RGB", (3000, 2000), (9, 8, 7)).save(tmp_path / "plain.png")
    row = Image.linear_gradient("L").rotate(90).resize((3000, 2000), Image.Resampling.NEAREST)
    row.save(tmp_path / "rows.png")
    for name, most in (("plain.png", 8), ("rows.png", 40)):
        layer = open_document(tmp_path / name).root.children[0]
        assert isinstance(layer, Layer)
        assert len({tile.serial for _, tile in layer.tiles.items()}) <= most


def test_a_picture_that_unpacks_to_more_than_its_size_is_refused(tmp_path: Path) -> None:
    data = png("L") + bytes(80 << 20)
    with pytest.raises(FileError, match="unreasonably large"):
        open_document(archive(tmp_path / "bomb.ora", '<layer src="a.png"/>', {"a.png": data}))
