"""What every registered file format owes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.errors import FileError
from core.formats.opening import open_document, save_document
from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, Mask, planes, walk
from core.paint.tiles import Pixels, Tiles
from core.task import Recipe

catalog.load("formats")
FORMATS = list(catalog.formats)


def noise(width: int, height: int, seed: int = 0) -> Pixels:
    """Premultiplied RGBA with every kind of alpha."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., :3] = np.minimum(pixels[..., :3], pixels[..., 3:])
    return pixels


SIZE = Size(301, 203)


def layered(size: Size = SIZE) -> Document:
    document = Document(size)
    mask = Mask(Tiles.of(noise(50, 50, 1)[..., :1], fill=255))
    ink = Layer(
        "Ünïcode ink", tiles=Tiles.of(noise(90, 80), -20, 30), position=Point(5, 7), mask=mask,
        blend="multiply", opacity=0.5, lock_alpha=True,
    )  # fmt: skip
    edit = AiLayer(
        "a cat",
        tiles=Tiles.of(noise(70, 70, 2), 30, 30),
        region=Tiles.of(noise(60, 60, 3)[..., :1], 40, 40),
        recipe=Recipe("sdedit", {"prompt": "a cat", "strength": 0.5}, seed=9),
        rendered="key",
        baked=True,
    )
    document.insert("Ground", Layer("ground", tiles=Tiles.of(noise(*size, 4))))
    document.insert("Ink", ink)
    document.insert("Group", Group("both", children=(edit,), visible=False, opacity=0.25))
    return document


@pytest.fixture(params=FORMATS, ids=lambda kind: kind.id)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def path(kind: Any, tmp_path: Path) -> Path:
    return tmp_path / f"Bild é 絵{kind.suffixes[0]}"


def test_it_has_words_and_suffixes(kind: Any) -> None:
    assert kind.label
    assert kind.__doc__
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in kind.suffixes)


def test_what_it_keeps_comes_back(kind: Any, path: Path) -> None:
    document = layered()
    save_document(document, path)
    back = open_document(path)
    assert back.size == document.size
    assert not back.is_modified
    seen = flatten(back.root, back.bounds)
    wanted = flatten(document.root, document.bounds)
    if "alpha" in kind.keeps:
        assert np.array_equal(seen, wanted)
    else:
        assert (seen[..., 3] == 255).all()
        over_white = wanted[..., :3].astype(int) + 255 - wanted[..., 3:]
        assert np.abs(seen[..., :3] - over_white).mean() < 4
    if "layers" in kind.keeps:
        _same_layers(document, back)


def _same_layers(document: Document, back: Document) -> None:
    for before, after in zip(walk(document.root), walk(back.root), strict=True):
        for name in ("id", "kind", "name", "visible", "blend"):
            assert getattr(before, name) == getattr(after, name)
        assert after.opacity == pytest.approx(before.opacity, abs=1e-6)
        area = Rect(-100, -100, 600, 500)
        for name, tiles in planes(before).items():
            assert np.array_equal(tiles.read(area), planes(after)[name].read(area)), name
        if isinstance(before, Layer) and isinstance(after, Layer):
            assert (after.position, after.lock_alpha) == (before.position, before.lock_alpha)
        if isinstance(before, AiLayer) and isinstance(after, AiLayer):
            assert after.recipe == before.recipe
            assert (after.rendered, after.baked) == (before.rendered, before.baked)
    assert back.state.active == document.state.active


@pytest.mark.parametrize("size", [Size(1, 1), Size(3, 257), Size(255, 1)])
def test_odd_sizes(kind: Any, path: Path, size: Size) -> None:
    document = Document(size)
    document.insert("Ink", Layer("ink", tiles=Tiles.of(noise(*size))))
    save_document(document, path)
    assert open_document(path).size == size


def test_an_empty_document(kind: Any, path: Path) -> None:
    save_document(Document(Size(40, 30)), path)
    assert open_document(path).size == Size(40, 30)


def test_a_file_cut_anywhere_is_an_error_in_one_sentence(kind: Any, path: Path) -> None:
    save_document(layered(), path)
    data = path.read_bytes()
    for length in (0, 1, 3, 4, 8, 20, 60, 200, len(data) // 3, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(FileError) as caught:
            open_document(path)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_no_picture_is_said_to_be_none(kind: Any, path: Path) -> None:
    path.write_text("This is a letter, not a picture. " * 50)
    with pytest.raises(FileError, match="not a picture|damaged"):
        open_document(path)
    path.unlink()
    with pytest.raises(FileError, match="does not exist"):
        open_document(path)
    path.mkdir()
    with pytest.raises(FileError, match="is a folder"):
        open_document(path)


def test_a_failed_save_leaves_the_file_as_it_was(
    kind: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    save_document(layered(), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="disk is full"):
        save_document(layered(Size(50, 50)), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
