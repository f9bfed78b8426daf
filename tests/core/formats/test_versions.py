"""Recipes of other versions in pictures: older ones are read, newer ones are kept to the byte."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.ai.recipe_values import prompt_of
from core.formats import ora_reading
from core.formats.opening import open_document, save_document
from core.formats.ora_writing import EXTRA_ENTRY, FOLDER, NEWER_ENTRIES, OWN_FOLDER
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Layer, walk
from core.paint.tiles import Pixels
from core.task import Recipe
from core.versions.schema import Schema
from tests.contracts.test_formats import layered

UNVERSIONED = b"""{"active": "cat", "nodes": [{"id": "cat", "kind": "ai", "name": "a cat",
"region": {"src": "sfumato/region0.png", "x": 0, "y": 0, "fill": 0}, "position": [0, 0],
"lock_alpha": false, "rendered": "key", "baked": true, "recipe": {"technique": "sdedit",
"params": {"prompt": "a cat", "strength": 0.5}, "model": "storybook", "modifiers": [],
"seed": 9, "context": [1, 2, 3, 4], "model_hash": "abc"}}]}"""
"""Our entry for one AI layer as it was written before recipes had versions."""
NEWER_EXTRA = b'{"version": 2, "tree": {"a cat": {"recipe": "in a new way"}}}'
NEWER_RECIPE = UNVERSIONED.replace(b'{"technique"', b'{"version": 2, "technique"')
NEWER_TEXT = '{"version": 2, "recipes": "d\u00e9j\u00e0 vu"}'
NEWER_RECIPE_TEXT = '{"version": 1, "layers": [{"recipe": {"version": 2, "way": "new"}}]}'


def cat() -> Document:
    """A document with one AI layer."""
    document = layered()
    (layer,) = (node for node in walk(document.root) if isinstance(node, AiLayer))
    single = Document(document.size)
    single.insert("Cat", layer)
    return single


def write(path: Path, extra: bytes) -> Path:
    """The OpenRaster file of a document, with another entry in the place of ours."""
    save_document(cat(), path)
    old = entries(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (old | {EXTRA_ENTRY: extra}).items():
            archive.writestr(name, data)
    return path


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def ai_layers(document: Document) -> list[AiLayer]:
    return [node for node in walk(document.root) if isinstance(node, AiLayer)]


def picture(document: Document) -> Pixels:
    return flatten(document.root, document.bounds)


def test_facts_without_a_version_are_read(tmp_path: Path) -> None:
    document = open_document(write(tmp_path / "a.ora", UNVERSIONED))
    (layer,) = ai_layers(document)
    assert layer.recipe.params == {"prompt": "a cat", "strength": 0.5}
    assert (layer.recipe.seed, layer.rendered, layer.baked) == (9, "key", True)
    assert document.note == ""
    save_document(document, tmp_path / "a.ora")
    facts = json.loads(entries(tmp_path / "a.ora")[EXTRA_ENTRY])
    assert (facts["version"], facts["nodes"][0]["recipe"]["version"]) == (1, 1)
    assert ai_layers(open_document(tmp_path / "a.ora"))[0].recipe == layer.recipe


def test_older_facts_are_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(facts: dict[str, Any]) -> dict[str, Any]:
        return {**facts, "nodes": facts["layers"]}

    path = write(tmp_path / "a.ora", UNVERSIONED.replace(b'"nodes"', b'"layers"'))
    assert not ai_layers(open_document(path))
    monkeypatch.setattr(ora_reading, "SCHEMA", Schema("description of layers", (rename,)))
    assert len(ai_layers(open_document(path))) == 1


@pytest.mark.parametrize("extra", [NEWER_EXTRA, NEWER_RECIPE])
def test_newer_facts_are_kept_to_the_byte(tmp_path: Path, extra: bytes) -> None:
    path = write(tmp_path / "a.ora", extra)
    newer = {name: data for name, data in entries(path).items() if name.startswith(FOLDER)}
    assert set(newer) == {EXTRA_ENTRY, "sfumato/region0.png"}
    document = open_document(path)
    assert "newer" in document.note
    assert "\n" not in document.note
    assert np.array_equal(picture(document), picture(cat()))
    assert not ai_layers(document)
    assert document.extras[NEWER_ENTRIES] == newer
    for _ in range(2):
        save_document(document, path)
        assert newer.items() <= entries(path).items()
        document = open_document(path)
        assert "newer" in document.note


def test_recipes_made_next_to_newer_ones_are_kept_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ora", NEWER_EXTRA)
    newer = {name: data for name, data in entries(path).items() if name.startswith(FOLDER)}
    document = open_document(path)
    document.insert("Dog", AiLayer("a dog", recipe=Recipe("sdedit", {"prompt": "a dog"})))
    save_document(document, path)
    assert newer.items() <= entries(path).items()
    assert any(name.startswith(OWN_FOLDER) for name in entries(path))
    back = open_document(path)
    assert [prompt_of(layer.recipe) for layer in ai_layers(back)] == ["a dog"]
    assert back.extras[NEWER_ENTRIES] == newer
    assert "newer" in back.note


def test_our_own_entries_may_be_damaged_next_to_newer_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ora", NEWER_EXTRA)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(OWN_FOLDER + "document.json", NEWER_EXTRA)
    document = open_document(path)
    assert len(document.root.children) == 1
    assert document.extras[NEWER_ENTRIES][EXTRA_ENTRY] == NEWER_EXTRA


def write_png(path: Path, text: str) -> Path:
    chunks = PngInfo()
    chunks.add_itxt("sfumato", text)
    Image.new("RGBA", (8, 8), "red").save(path, pnginfo=chunks)
    return path


def texts(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        return {
            str(key): str(value)
            for key, value in image.info.items()
            if str(key).startswith("sfumato")
        }


@pytest.mark.parametrize("version", ["", '"version": 1, '])
def test_recipes_in_a_png_are_carried(tmp_path: Path, version: str) -> None:
    text = f'{{{version}"layers": [{{"name": "a cat", "recipe": {{"technique": "sdedit"}}}}]}}'
    document = open_document(write_png(tmp_path / "a.png", text))
    assert document.note == ""
    save_document(document, tmp_path / "b.png")
    assert texts(tmp_path / "b.png") == {"sfumato": text}


@pytest.mark.parametrize("text", [NEWER_TEXT, NEWER_RECIPE_TEXT])
def test_newer_recipes_in_a_png_are_kept_to_the_byte(tmp_path: Path, text: str) -> None:
    path = write_png(tmp_path / "a.png", text)
    document = open_document(path)
    assert "newer" in document.note
    document.insert("Ink", Layer("ink"))
    save_document(document, path)
    assert texts(path) == {"sfumato": text}
    document.insert("Dog", AiLayer("a dog", recipe=Recipe("sdedit", {"prompt": "a dog"})))
    for _ in range(2):
        save_document(document, path)
        document = open_document(path)
        found = texts(path)
        assert found.pop("sfumato") == text
        ((name, own),) = found.items()
        assert name == "sfumato-1.1"
        assert json.loads(own)["layers"][0]["recipe"]["params"] == {"prompt": "a dog"}


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"layers": 3}', '{"layers": [{}]}', "null"])
def test_odd_texts_are_carried_without_a_note(tmp_path: Path, text: str) -> None:
    document = open_document(write_png(tmp_path / "a.png", text))
    assert document.note == ""
    save_document(document, tmp_path / "b.png")
    assert texts(tmp_path / "b.png") == {"sfumato": text}
