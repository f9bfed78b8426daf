"""A picture of the document kept ready around the active layer, so that ink costs three blends."""

import numpy as np

from core import layers
from core.blend import source_over
from core.composite import draw, flatten
from core.document import Document
from core.geometry import Rect
from core.layers import Group, Node
from core.pixels import TILE, Key, Pixels, keys_over, tile_rect

BUDGET = 96 << 20
"""Bytes of ready tiles; a 256 px tile of both planes is half a MiB."""


class Planes:
    """Flattens like core.composite, with what lies below and above the active layer remembered.

    Layers are values, so a remembered tile holds exactly as long as the layers it was made from
    are the very same objects.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._below: tuple[Node, ...] = ()
        self._above: tuple[Node, ...] = ()
        self._tiles: dict[Key, tuple[Pixels | None, Pixels | None]] = {}

    def flatten(self, rect: Rect) -> Pixels:
        """RGBA8 premultiplied over rect, like ``flatten(document.root, rect)``."""
        middle = self._split()
        out = np.zeros((rect.height, rect.width, 4), np.uint8)
        for key in keys_over(rect):
            part = tile_rect(key) & rect
            self._tile(key, part, middle, out[part.moved(-rect.x, -rect.y).slices])
        return out

    def _tile(self, key: Key, part: Rect, middle: Node | None, out: Pixels) -> None:
        below, above = self._ready(key)
        inside = part.moved(-key[0] * TILE, -key[1] * TILE).slices
        if below is not None:
            out[:] = below[inside]
        if middle is not None:
            draw(middle, part, out)
        if above is not None:
            out[:] = source_over(above[inside], out)
        elif not _is_plain(self._above):
            for node in self._above:
                draw(node, part, out)

    def _split(self) -> Node | None:
        """The child of the root that holds the active layer; forgets tiles of changed layers."""
        children = self._document.root.children
        place = _place(children, self._document.state.active)
        below, above = children[:place], children[place + 1 :]
        if not (_same(below, self._below) and _same(above, self._above)):
            self._tiles, self._below, self._above = {}, below, above
        return children[place] if place < len(children) else None

    def _ready(self, key: Key) -> tuple[Pixels | None, Pixels | None]:
        if key not in self._tiles:
            if len(self._tiles) * 2 * TILE * TILE * 4 >= BUDGET:
                del self._tiles[next(iter(self._tiles))]
            above = _flat(self._above, key) if _is_plain(self._above) else None
            self._tiles[key] = (_flat(self._below, key), above)
        return self._tiles[key]


def _place(children: tuple[Node, ...], active: str) -> int:
    for place, child in enumerate(children):
        if child.id == active or (isinstance(child, Group) and layers.find(child, active)):
            return place
    return len(children)


def _same(first: tuple[Node, ...], second: tuple[Node, ...]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def _is_plain(nodes: tuple[Node, ...]) -> bool:
    """Whether these layers may be blended together first: source-over is associative."""
    return all(node.blend == "normal" for node in nodes)


def _flat(nodes: tuple[Node, ...], key: Key) -> Pixels | None:
    """A tile of some layers; None where they show nothing."""
    pixels = flatten(Group("", children=nodes), tile_rect(key)) if nodes else None
    return pixels if pixels is not None and pixels.any() else None
