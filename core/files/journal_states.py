"""What a journal records: one moment of a document, as JSON that names tiles by their serials."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any

from core.paint.document import Document
from core.paint.edits import DocumentState
from core.paint.layers import AiLayer, Group, Layer, Node, planes, walk, with_plane
from core.paint.tiles import Pixels, Tile, Tiles
from core.versions.schema import Schema

SERIAL = struct.Struct("<QB")
"""The serial of a tile and its channels."""
IS_PLAIN = 0x80
"""Added to the channels where the pixels are not compressed."""


def _name_new_facts(state: dict[str, Any]) -> dict[str, Any]:
    """Version 2: what is not saved, the file and its metadata belong to the state."""
    return {"number": 0, "extras": 0, "left_out": [], **state}


SCHEMA = Schema("record of unsaved work", (_name_new_facts,))
"""How what the records hold is described; its version is in the start record."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A document at one moment. Nothing in it is written any more."""

    state: DocumentState
    extras: Mapping[str, Any]
    path: Path | None
    is_modified: bool

    @property
    def tiles(self) -> Iterator[Tile]:
        """Every tile of every plane; the same one may come several times."""
        for node in walk(self.state.root):
            for plane in planes(node).values():
                for _, tile in plane.items():
                    yield tile


def take_snapshot(document: Document, state: DocumentState) -> Snapshot:
    """The document with one of its states, which may belong to an open stroke."""
    saved = document.saved
    is_modified = state.root is not saved.root or state.size != saved.size
    frozen = replace(state, root=_freeze_planes(state.root))
    return Snapshot(frozen, dict(document.extras), document.path, is_modified)


def _freeze_planes(group: Group) -> Group:
    children = tuple(_freeze_node(child) for child in group.children)
    return replace(group, children=children)


def _freeze_node(node: Node) -> Node:
    for name, plane in planes(node).items():
        frozen = plane.snapshot()
        if frozen is not plane:
            node = with_plane(node, name, frozen)
    return _freeze_planes(node) if isinstance(node, Group) else node


# Tiles


def pack_tile(tile: Tile, is_compressed: bool) -> bytes:
    """A tile as the data of a record."""
    channels = tile.pixels.shape[2]
    if is_compressed:
        return SERIAL.pack(tile.serial, channels) + zlib.compress(tile.pixels.tobytes(), 1)
    return SERIAL.pack(tile.serial, channels | IS_PLAIN) + tile.pixels.tobytes()


def pack_selection(alpha: Pixels) -> bytes:
    """A selection's alpha (height x width uint8, 0..255) as the data of a blob."""
    return zlib.compress(alpha.tobytes(), 1)


# States


class StateText:
    """One snapshot as text; ``left_out`` names what cannot be put into words."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.left_out: list[str] = []

    def encode(self, number: int, selection: int, extras: int) -> bytes:
        """The state with its place in the order of all states and the numbers of its blobs."""
        state, path = self._snapshot.state, self._snapshot.path
        facts = {
            "number": number,
            "path": str(path) if path else "",
            "modified": self._snapshot.is_modified,
            "extras": extras,
            "size": list(state.size),
            "active": state.active,
            "selection": {"bounds": list(state.selection.bounds), "alpha": selection},
            "children": [self._node_facts(child) for child in state.root.children],
            "left_out": self.left_out,
        }
        return json.dumps(facts).encode()

    def encode_extras(self) -> bytes:
        """What came with the file and goes back into it."""
        packed = {}
        for name, value in self._snapshot.extras.items():
            try:
                packed[name] = _pack_value(value)
            except (TypeError, RecursionError):
                self.left_out.append(f"the metadata {name!r}")
        return json.dumps(packed).encode()

    def _node_facts(self, node: Node) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "kind": node.kind,
            "id": node.id,
            "name": node.name,
            "visible": node.visible,
            "opacity": node.opacity,
            "blend": node.blend,
            "planes": {name: _plane_facts(tiles) for name, tiles in planes(node).items()},
            "mask_visible": node.mask.visible if node.mask else True,
        }
        if isinstance(node, Group):
            facts["children"] = [self._node_facts(child) for child in node.children]
        if isinstance(node, Layer):
            facts |= {"position": list(node.position), "lock_alpha": node.lock_alpha}
        if isinstance(node, AiLayer):
            facts |= {"rendered": node.rendered, "baked": node.baked}
            facts["recipe"] = self._recipe_text(node)
        return facts

    def _recipe_text(self, node: AiLayer) -> str:
        """The recipe as JSON; empty where it holds what JSON cannot: its pixels count more."""
        try:
            return json.dumps(node.recipe.to_json())
        except (TypeError, ValueError, RecursionError):
            self.left_out.append(f"the recipe of {node.name!r}")
            return ""


def _plane_facts(tiles: Tiles) -> dict[str, Any]:
    entries = [[x, y, tile.serial] for (x, y), tile in tiles.items()]
    return {"channels": tiles.channels, "fill": tiles.fill, "tiles": entries}


def planes_by_place(state: DocumentState) -> list[Any]:
    """Every plane as [number of its layer from the bottom, its name, [[x, y, serial], ...]]."""
    return [
        [place, name, _plane_facts(tiles)["tiles"]]
        for place, node in enumerate(walk(state.root))
        for name, tiles in planes(node).items()
    ]


def _pack_value(value: object) -> Any:
    """A value of a document's extras as JSON. Raises TypeError for what has no such form."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, (tuple, list)):
        return {type(value).__name__: [_pack_value(item) for item in value]}
    if isinstance(value, Mapping):
        return {"pairs": [[str(key), _pack_value(item)] for key, item in value.items()]}
    raise TypeError(f"{type(value).__name__} cannot be recorded")


def unpack_value(value: Any) -> Any:
    """What ``_pack_value`` has packed. Raises ValueError or TypeError for anything else."""
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "bytes":
        return base64.b64decode(inner)
    if kind == "pairs":
        return {str(key): unpack_value(item) for key, item in inner}
    made = [unpack_value(item) for item in inner]
    return tuple(made) if kind == "tuple" else made
