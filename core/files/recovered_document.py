"""From a recorded state to a document. What a record says is believed only where it makes sense."""

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.files.journal_index import JournalIndex, inflate
from core.files.journal_states import unpack_value
from core.geometry import Point, Rect, Size
from core.paint.blend_modes import MODES
from core.paint.document import MAX_SIDE, Document
from core.paint.edits import DocumentState
from core.paint.layers import AiLayer, Group, Layer, Mask, Node, walk
from core.paint.selection import EMPTY_SELECTION, Selection
from core.paint.tiles import Pixels, Tiles
from core.task import Recipe

if TYPE_CHECKING:
    from core.paint.tiles import Key

MAX_OFFSET = 1 << 24
"""Pixels by which a layer may lie off the canvas."""
MAX_DEPTH = 100
"""Groups inside each other."""
TilesBySerial = Mapping[int, Pixels]


def make_document(index: JournalIndex, tiles: TilesBySerial) -> Document:
    """The document of a whole state; tiles that are not there are left blank.

    Raises ValueError, KeyError, TypeError or EditorError for a state that makes no sense.
    """
    facts = index.state or {}
    size = Size(*(_whole(side, 1, MAX_SIDE) for side in facts["size"]))
    children = tuple(_make_node(child, tiles, MAX_DEPTH) for child in facts["children"])
    document = Document(size, Group("Root", children=children))
    ids = [node.id for node in walk(document.root)]
    if len(set(ids)) < len(ids):
        raise ValueError("two layers with one id")
    selection = _make_selection(facts["selection"], size, index)
    document.state = DocumentState(size, document.root, selection, _text(facts["active"]))
    document.saved = DocumentState(size, Group("Root"))
    if facts["extras"]:
        packed = json.loads(index.blob(facts["extras"]))
        document.extras = {name: unpack_value(value) for name, value in packed.items()}
    return document


def _make_selection(facts: dict[str, Any], size: Size, index: JournalIndex) -> Selection:
    bounds = _make_rect(facts["bounds"]) & Rect.of(size)
    if not bounds:
        return EMPTY_SELECTION
    if bounds != Rect(*facts["bounds"]):
        raise ValueError("a selection off the canvas")
    alpha = facts["alpha"]
    if not alpha:
        return Selection(bounds)
    packed = bytes.fromhex(alpha) if isinstance(alpha, str) else index.blob(alpha)
    raw = inflate(packed, bounds.width * bounds.height)
    return Selection(bounds, np.frombuffer(raw, np.uint8).reshape(bounds.height, bounds.width))


def _make_node(facts: dict[str, Any], tiles: TilesBySerial, depth: int) -> Node:
    if depth == 0:
        raise ValueError(f"more than {MAX_DEPTH} groups inside each other")
    made = {name: _make_plane(name, plane, tiles) for name, plane in facts["planes"].items()}
    mask = Mask(made["mask"], bool(facts["mask_visible"])) if "mask" in made else None
    opacity = float(facts["opacity"])
    if not (math.isfinite(opacity) and 0 <= opacity <= 1) or facts["blend"] not in MODES:
        raise ValueError("a layer that cannot be blended")
    common: dict[str, Any] = {
        "name": _text(facts["name"]),
        "id": _text(facts["id"]),
        "visible": bool(facts["visible"]),
        "opacity": opacity,
        "blend": facts["blend"],
        "mask": mask,
    }
    if facts["kind"] == "group":
        children = tuple(_make_node(child, tiles, depth - 1) for child in facts["children"])
        return Group(**common, children=children)
    common |= {
        "tiles": made["pixels"],
        "position": Point(*(_whole(v, -MAX_OFFSET, MAX_OFFSET) for v in facts["position"])),
        "lock_alpha": bool(facts["lock_alpha"]),
    }
    if facts["kind"] == "ai":
        return _make_ai_layer(facts, common, made["region"])
    if facts["kind"] != "raster":
        raise ValueError("a layer of an unknown kind")
    return Layer(**common)


def _make_ai_layer(facts: dict[str, Any], common: dict[str, Any], region: Tiles) -> Layer:
    """An AI layer, or a plain one where its recipe could not be recorded."""
    recipe = facts["recipe"]
    if isinstance(recipe, str):
        if not recipe:
            return Layer(**common)
        recipe = json.loads(recipe)
    return AiLayer(
        **common,
        recipe=Recipe.from_json(recipe),
        region=region,
        rendered=_text(facts["rendered"]),
        baked=bool(facts["baked"]),
    )


def _make_plane(name: str, facts: dict[str, Any], tiles: TilesBySerial) -> Tiles:
    """A plane of the tiles that are there; the others are left blank."""
    channels = {"pixels": 4, "region": 1, "mask": 1}[name]
    if facts["channels"] != channels:
        raise ValueError(f"{facts['channels']} channels in {name}")
    present: dict[Key, Pixels] = {}
    for x, y, serial in facts["tiles"]:
        key = _whole(x, -MAX_OFFSET, MAX_OFFSET), _whole(y, -MAX_OFFSET, MAX_OFFSET)
        if serial in tiles:
            if tiles[serial].shape[2] != channels:
                raise ValueError(f"a tile of another depth in {name}")
            present[key] = tiles[serial]
    return Tiles.from_tiles(present, channels, _whole(facts["fill"], 0, 255))


def _make_rect(values: object) -> Rect:
    if not isinstance(values, list):
        raise TypeError("a rectangle that is none")
    return Rect(*(_whole(value, -MAX_OFFSET, MAX_OFFSET) for value in values))


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{value!r:.40} is not from {low} to {high}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
