"""Reading OpenRaster files of any program, with limits, and checks of every entry."""

import io
import json
import math
import re
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image

from core.errors import EditorError, FileError, VersionError
from core.files.atomic import translate_read_errors
from core.formats.flat import MAX_PIXELS, limit_pixels, newer_note, premultiply
from core.formats.ora_writing import (
    EXTRA_ENTRY,
    FACTS,
    FOLDER,
    MIMETYPE,
    NEWER_ENTRIES,
    OWN_FOLDER,
    SCHEMA,
    clean_xml,
)
from core.geometry import Point, Size
from core.paint.blend_modes import MODES
from core.paint.document import MAX_SIDE, Document
from core.paint.layers import AiLayer, Group, Layer, Mask, Node
from core.paint.tiles import Tiles
from core.task import RECIPE_SCHEMA, Recipe

MAX_ENTRIES = 20_000
MAX_BYTES = 4 << 30
MAX_TEXT_BYTES = 64 << 20
MODE_BY_SVG_NAME = {mode.svg: mode.id for mode in MODES.values()}


def read_ora(path: Path) -> Document:
    """All layers as a document. Raises FileError with one sentence that names what is wrong."""
    with translate_read_errors(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return _Reader(path, archive).document()
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError) as error:
            raise FileError(f"{path.name} is damaged or cut short: {error}.") from error
        except (DefusedXmlException, ParseError) as error:
            raise FileError(
                f"{path.name} has a layer list that cannot be read: {error}."
            ) from error
        except (ValueError, SyntaxError, OSError, RuntimeError) as error:
            if isinstance(error, (FileNotFoundError, IsADirectoryError, PermissionError)):
                raise
            raise FileError(f"{path.name} is damaged: {error}.") from error


@dataclass
class _Reader:
    path: Path
    archive: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def document(self) -> Document:
        self._refuse_hostile_archive()
        image = fromstring(self._read_text("stack.xml"), forbid_dtd=True)
        size = Size(_whole_number(image, "w"), _whole_number(image, "h"))
        if not (0 < size.width <= MAX_SIDE and 0 < size.height <= MAX_SIDE):
            raise self._refusal(f"it declares {size.width} x {size.height} pixels")
        if size.width * size.height > MAX_PIXELS:
            raise self._refusal(f"{size.width} x {size.height} pixels are more than can be opened")
        stack = image.find("stack")
        if stack is None:
            raise self._refusal("its layer list holds no stack")
        ours, newer = self._read_own_facts()
        root = self._read_group(stack, iter(ours.get("nodes", ())), name="Root")
        document = Document(size, root)
        if root.children:
            document.activate(str(ours.get("active") or root.children[-1].id))
        if newer:
            document.extras[NEWER_ENTRIES] = newer
            document.note = newer_note(self.path)
        document.saved = document.state
        return document

    def _refuse_hostile_archive(self) -> None:
        entries = self.archive.infolist()
        if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_BYTES:
            raise self._refusal("unpacked it would be larger than 4 GB or 20,000 entries")
        for entry in entries:
            parts = _plain_name(entry.filename).split("/")
            if ".." in parts or ":" in parts[0]:
                raise self._refusal(f"it holds an entry outside itself, {entry.filename!r}")
            self.entries["/".join(parts)] = entry
        if "mimetype" not in self.entries or "stack.xml" not in self.entries:
            raise self._refusal("it is a zip file but not an OpenRaster picture")
        if self._read_text("mimetype").strip() != MIMETYPE.encode():
            raise self._refusal("it is a zip file but not an OpenRaster picture")

    def _refusal(self, why: str) -> FileError:
        return FileError(f"{self.path.name} was not opened: {why}.")

    def _read_bytes(self, name: str, limit: int) -> bytes:
        entry = self.entries.get(_plain_name(name))
        if entry is None:
            raise self._refusal(f"{name} is missing from it")
        if entry.file_size > limit:
            raise self._refusal(f"{name} in it is unreasonably large")
        with self.archive.open(entry) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise self._refusal(f"{name} in it is unreasonably large")
        return data

    def _read_text(self, name: str) -> bytes:
        return self._read_bytes(name, MAX_TEXT_BYTES)

    def _read_own_facts(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Our own facts, and the entries of a newer Sfumato, which go back into the file."""
        try:
            return self._read_facts(EXTRA_ENTRY), {}
        except VersionError:
            newer = {
                name: self._read_bytes(name, MAX_BYTES)
                for name in self.entries
                if name.startswith(FOLDER) and not name.startswith(OWN_FOLDER)
            }
        try:
            return self._read_facts(OWN_FOLDER + FACTS), newer
        except VersionError:
            return {}, newer

    def _read_facts(self, entry: str) -> dict[str, Any]:
        """The facts in one entry; a file without it, or with a damaged one, still has its layers.

        Raises VersionError when the entry or a recipe in it is of a newer Sfumato.
        """
        if entry not in self.entries:
            return {}
        text = self._read_text(entry)
        try:
            facts = SCHEMA.migrate(json.loads(text))
        except VersionError:
            raise
        except (ValueError, TypeError, AttributeError, FileError):
            return {}
        if not isinstance(facts.get("nodes"), list):
            return {}
        for node in facts["nodes"]:
            if isinstance(node, dict):
                RECIPE_SCHEMA.version_of(node.get("recipe"))
        return facts

    def _read_group(self, stack: Element, all_facts: Any, name: str) -> Group:
        """Children are written from top to bottom, our facts from bottom to top."""
        elements = [child for child in stack if child.tag in {"stack", "layer"}]
        children = [self._read_node(element, all_facts) for element in reversed(elements)]
        return Group(name, children=tuple(children))

    def _read_node(self, element: Element, all_facts: Any) -> Node:
        facts = next(all_facts, None)
        facts = facts if isinstance(facts, dict) and _is_named(element, facts.get("name")) else {}
        if element.tag == "stack":
            node: Node = self._read_group(element, all_facts, _name(element))
        else:
            node = self._read_layer(element, facts)
        node = replace(
            node,
            name=str(facts.get("name") or _name(element)),
            visible=element.get("visibility", "visible") != "hidden",
            opacity=_opacity(element),
            blend=MODE_BY_SVG_NAME.get(element.get("composite-op", ""), "normal"),
            mask=self._read_mask(facts),
        )
        return replace(node, id=str(facts["id"])) if facts.get("id") else node

    def _read_layer(self, element: Element, facts: dict[str, Any]) -> Layer:
        corner = Point(_whole_number(element, "x", 0), _whole_number(element, "y", 0))
        pixels = premultiply(self._read_image(element.get("src", "")).convert("RGBA"))
        position = _position(facts)
        tiles = Tiles.of(pixels, corner.x - position.x, corner.y - position.y)
        lock = bool(facts.get("lock_alpha", False))
        if facts.get("kind") != "ai":
            return Layer("", tiles=tiles, position=position, lock_alpha=lock)
        try:
            recipe = Recipe.from_json(facts["recipe"])
        except (EditorError, KeyError):
            return Layer("", tiles=tiles, position=position, lock_alpha=lock)
        return AiLayer(
            "",
            tiles=tiles,
            position=position,
            lock_alpha=lock,
            recipe=recipe,
            region=self._read_plane(facts.get("region"), 0),
            rendered=str(facts.get("rendered", "")),
            baked=bool(facts.get("baked", False)),
        )

    def _read_image(self, name: str) -> Image.Image:
        data = self._read_bytes(name, MAX_BYTES)
        with limit_pixels():
            try:
                image = Image.open(io.BytesIO(data), formats=("PNG",))
                if image.width * image.height > MAX_PIXELS:
                    raise self._refusal(f"{name} in it declares too many pixels")
                image.load()
            except (OSError, SyntaxError, Image.DecompressionBombError) as error:
                raise self._refusal(f"{name} in it is damaged ({error})") from error
        return image

    def _read_mask(self, facts: dict[str, Any]) -> Mask | None:
        mask = facts.get("mask")
        if not isinstance(mask, dict):
            return None
        return Mask(self._read_plane(mask, 255), bool(mask.get("visible", True)))

    def _read_plane(self, facts: Any, fill: int) -> Tiles:
        if not isinstance(facts, dict) or "src" not in facts:
            return Tiles(channels=1, fill=fill)
        values = np.asarray(self._read_image(str(facts["src"])).convert("L"), np.uint8)
        x, y = int(facts.get("x", 0)), int(facts.get("y", 0))
        return Tiles.of(values[..., None], x, y, int(facts.get("fill", fill)))


def _name(element: Element) -> str:
    return element.get("name") or "Layer"


def _is_named(element: Element, name: object) -> bool:
    """Whether a node has a name, which the layer list may only hold in part."""
    return isinstance(name, str) and (clean_xml(name) or "Layer") == _name(element)


def _plain_name(name: str) -> str:
    """An entry's name as other writers may have put it: with a leading slash or ``./``."""
    return re.sub(r"^(\.?/)+", "", name.replace("\\", "/"))


def _whole_number(element: Element, key: str, default: int = -1) -> int:
    text = element.get(key, str(default))
    number = float(text)
    if not math.isfinite(number) or abs(number) > 1 << 24:
        raise ValueError(f"{key}={text} is out of range")
    return int(number)


def _opacity(element: Element) -> float:
    value = float(element.get("opacity", "1"))
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 1.0


def _position(facts: dict[str, Any]) -> Point:
    place = facts.get("position")
    if isinstance(place, list) and len(place) == 2 and all(isinstance(v, int) for v in place):
        return Point(place[0], place[1])
    return Point(0, 0)
