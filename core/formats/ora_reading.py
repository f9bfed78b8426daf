"""Reading OpenRaster files of any program, with limits, and checks of every entry."""

import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.errors import EditorError, FileError, VersionError, readable
from core.files.atomic import translate_read_errors
from core.formats.archive import Archive
from core.formats.decoding import decode_layer, decode_mask, translate_decoder_errors
from core.formats.flat import newer_note
from core.formats.limits import (
    MAX_DEPTH,
    MAX_LAYERS,
    MAX_LIST_BYTES,
    MAX_NAME,
    parse_json,
    refuse_size,
)
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
from core.paint.blend_modes import MODES, PASS_THROUGH
from core.paint.document import Document
from core.paint.layers import AiLayer, Group, Layer, Mask, Node, walk
from core.paint.tiles import Tiles
from core.task import RECIPE_SCHEMA, Recipe

MODE_BY_SVG_NAME = {mode.svg: mode.id for mode in MODES.values()}
SOURCE_OVER = "svg:src-over"
MAX_OFFSET = 1 << 24
"""Pixels between a layer and the corner of the canvas."""
MAX_ID = 64
MAX_NAMED = 3
"""Layers that a note names."""


def read_ora(path: Path) -> Document:
    """All layers as a document. Raises FileError with one sentence that names what is wrong."""
    name = readable(path.name)
    with translate_read_errors(path), translate_decoder_errors(name):
        try:
            with zipfile.ZipFile(path) as archive:
                return _Reader(path, Archive(name, archive, path.stat().st_size)).document()
        except (DefusedXmlException, ParseError) as error:
            raise FileError(f"{name} has a layer list that cannot be read: {error}.") from error


@dataclass
class _Reader:
    path: Path
    archive: Archive
    ids: set[str] = field(default_factory=set)
    foreign: dict[str, list[str]] = field(default_factory=dict)
    planes: dict[str, Tiles] = field(default_factory=dict)
    is_damaged: bool = False

    def document(self) -> Document:
        if self.archive.read_text("mimetype").strip() != MIMETYPE.encode():
            raise self.archive.refusal("it is a zip file but not an OpenRaster picture")
        image = fromstring(self.archive.read_text("stack.xml", MAX_LIST_BYTES), forbid_dtd=True)
        size = Size(_whole_number(image, "w"), _whole_number(image, "h"))
        refuse_size(self.archive.name, *size)
        stack = image.find("stack")
        if stack is None:
            raise self.archive.refusal("its layer list holds no stack")
        self._refuse_endless_list(stack)
        ours, newer = self._read_own_facts()
        self.archive.refuse_pictures(_pictures(stack, ours))
        root = self._read_group(stack, iter(ours.get("nodes", ())), name="Root")
        document = Document(size, root)
        _activate(document, ours.get("active"))
        if newer:
            document.extras[NEWER_ENTRIES] = newer
        document.note = " ".join(self._notes(bool(newer)))
        document.saved = document.state
        return document

    def _notes(self, is_newer: bool) -> Iterator[str]:
        """One sentence for each thing that a person should know about the file."""
        name = self.archive.name
        if is_newer:
            yield newer_note(self.path)
        if self.is_damaged:
            yield f"Some of what Sfumato adds to {name} is damaged and was left out."
        if self.foreign:
            shown = [
                f"{mode} of {', '.join(layers[:MAX_NAMED])}"
                for mode, layers in self.foreign.items()
            ][:MAX_NAMED]
            more = " and others" if len(self.foreign) > MAX_NAMED else ""
            yield (
                f"{name} blends layers in ways that Sfumato lacks: {'; '.join(shown)}{more}. "
                "They are shown as Normal and keep their modes."
            )

    def _refuse_endless_list(self, stack: Element) -> None:
        """Count layers and depth before any layer is made."""
        level, count = [stack], 0
        for _ in range(MAX_DEPTH + 1):
            level = [child for parent in level for child in parent if child.tag in _NODES]
            count += len(level)
            if count > MAX_LAYERS:
                raise self.archive.refusal(f"it has more than {MAX_LAYERS:,} layers")
            if not level:
                return
        raise self.archive.refusal(f"its groups lie more than {MAX_DEPTH} deep in each other")

    def _read_own_facts(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Our own facts, and the entries of a newer Sfumato, which go back into the file."""
        try:
            return self._read_facts(EXTRA_ENTRY), {}
        except VersionError:
            newer = self.archive.read_folder(FOLDER, OWN_FOLDER)
        try:
            return self._read_facts(OWN_FOLDER + FACTS), newer
        except VersionError:
            return {}, newer

    def _read_facts(self, entry: str) -> dict[str, Any]:
        """The facts in one entry; a file without it, or with a damaged one, still has its layers.

        Raises VersionError when the entry or a recipe in it is of a newer Sfumato.
        """
        if entry not in self.archive:
            return {}
        text = self.archive.read_text(entry)
        try:
            facts = SCHEMA.migrate(parse_json(text))
            nodes = facts.get("nodes")
        except VersionError:
            raise
        except (ValueError, TypeError, AttributeError, FileError):
            nodes = None
        if not isinstance(nodes, list):
            self.is_damaged = True
            return {}
        for node in nodes:
            if isinstance(node, dict):
                RECIPE_SCHEMA.version_of(node.get("recipe"))
        return facts

    def _read_group(self, stack: Element, all_facts: Any, name: str) -> Group:
        """Children are written from top to bottom, our facts from bottom to top."""
        elements = [child for child in stack if child.tag in _NODES]
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
            name=str(facts.get("name") or _name(element))[:MAX_NAME],
            visible=element.get("visibility", "visible") != "hidden",
            opacity=_opacity(element),
            blend=self._blend(element),
            mask=self._read_mask(facts),
        )
        return self._with_own_id(node, facts.get("id"))

    def _with_own_id(self, node: Node, given: Any) -> Node:
        """The node with the id in the file, or a new one where another node has that already."""
        if isinstance(given, str) and 0 < len(given) <= MAX_ID and given not in self.ids:
            node = replace(node, id=given)
        self.ids.add(node.id)
        return node

    def _blend(self, element: Element) -> str:
        """The id of the blend mode; that of another program is kept as it is and noted."""
        mode = element.get("composite-op", SOURCE_OVER)
        if mode in MODE_BY_SVG_NAME:
            is_alone = element.tag == "layer" or element.get("isolation") == "isolate"
            known = MODE_BY_SVG_NAME[mode]
            return known if is_alone or mode != SOURCE_OVER else PASS_THROUGH
        mode = mode[:MAX_ID]
        self.foreign.setdefault(mode, []).append(readable(_name(element))[:MAX_ID])
        return mode

    def _read_layer(self, element: Element, facts: dict[str, Any]) -> Layer:
        corner = Point(_whole_number(element, "x", 0), _whole_number(element, "y", 0))
        position = _position(facts, corner)
        tiles = self._read_pixels(element.get("src", ""), corner, position)
        lock = bool(facts.get("lock_alpha", False))
        recipe = self._read_recipe(facts)
        if recipe is None:
            return Layer("", tiles=tiles, position=position, lock_alpha=lock)
        return AiLayer(
            "",
            tiles=tiles,
            position=position,
            lock_alpha=lock,
            recipe=recipe,
            region=self._read_plane(facts.get("region"), 0) or Tiles(channels=1),
            rendered=str(facts.get("rendered", "")),
            baked=bool(facts.get("baked", False)),
        )

    def _read_pixels(self, name: str, corner: Point, position: Point) -> Tiles:
        """A layer's plane; layers that show one picture at the same place share it."""
        x, y = corner.x - position.x, corner.y - position.y
        key = f"{name}\n{x}\n{y}"
        if key not in self.planes:
            data = self.archive.read_picture(name)
            self.planes[key] = decode_layer(data, self.archive.label(name), x, y)
        return self.planes[key]

    def _read_recipe(self, facts: dict[str, Any]) -> Recipe | None:
        """The recipe of an AI layer; None for other layers, and where it is damaged."""
        if facts.get("kind") != "ai":
            return None
        try:
            return Recipe.from_json(facts["recipe"])
        except (EditorError, KeyError):
            self.is_damaged = True
            return None

    def _read_mask(self, facts: dict[str, Any]) -> Mask | None:
        mask = facts.get("mask")
        if not isinstance(mask, dict):
            return None
        tiles = self._read_plane(mask, 255)
        return None if tiles is None else Mask(tiles, bool(mask.get("visible", True)))

    def _read_plane(self, facts: Any, fill: int) -> Tiles | None:
        """A plane of one channel; None for one that is described in no usable way."""
        if not isinstance(facts, dict) or "src" not in facts:
            return Tiles(channels=1, fill=fill)
        name, numbers = facts["src"], [facts.get("x", 0), facts.get("y", 0)]
        fill = facts.get("fill", fill)
        if not (isinstance(name, str) and all(map(_is_offset, numbers)) and _is_byte(fill)):
            self.is_damaged = True
            return None
        data = self.archive.read_picture(name)
        return decode_mask(data, self.archive.label(name), numbers[0], numbers[1], fill)


_NODES = frozenset({"stack", "layer"})


def _activate(document: Document, given: Any) -> None:
    """Make the layer active that was so when the file was saved, or else the topmost one."""
    if document.root.children:
        ids = {node.id for node in walk(document.root)}
        is_there = isinstance(given, str) and given in ids
        document.activate(given if is_there else document.root.children[-1].id)


def _pictures(stack: Element, facts: dict[str, Any]) -> set[str]:
    """The names of all pictures that layers and their planes are made of."""
    names = {element.get("src", "") for element in stack.iter("layer")}
    for node in facts.get("nodes", ()):
        planes = (node.get("mask"), node.get("region")) if isinstance(node, dict) else ()
        names |= {str(plane.get("src", "")) for plane in planes if isinstance(plane, dict)}
    return names - {""}


def _name(element: Element) -> str:
    return element.get("name") or "Layer"


def _is_named(element: Element, name: object) -> bool:
    """Whether a node has a name, which the layer list may only hold in part."""
    return isinstance(name, str) and (clean_xml(name) or "Layer") == _name(element)


def _whole_number(element: Element, key: str, default: int = -1) -> int:
    text = element.get(key, str(default))
    number = float(text)
    if not math.isfinite(number) or abs(number) > MAX_OFFSET:
        raise ValueError(f"{key}={re.sub('[^ -~]', '?', text[:40])} is out of range")
    return int(number)


def _opacity(element: Element) -> float:
    value = float(element.get("opacity", "1"))
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 1.0


def _is_offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_OFFSET


def _is_byte(value: object) -> bool:
    return _is_offset(value) and 0 <= int(str(value)) <= 255


def _position(facts: dict[str, Any], corner: Point) -> Point:
    """Where a layer's plane begins; without our facts it begins where its picture does."""
    if not facts:
        return corner
    place = facts.get("position")
    if isinstance(place, list) and len(place) == 2 and all(map(_is_offset, place)):
        return Point(place[0], place[1])
    return Point(0, 0)
