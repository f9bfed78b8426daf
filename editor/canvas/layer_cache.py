"""A cache of what lies below and above the active layer, so that ink costs three blends."""

from dataclasses import replace
from typing import NamedTuple

from core.geometry import Rect
from core.paint import layers
from core.paint.document import Document
from core.paint.flatten import is_pass_through
from core.paint.layers import Group, Layer, Node
from core.paint.tiles import TILE, Key, Pixels, Tiles, keys_over, tile_rect
from editor.canvas.qt_blend import BlendTarget

MAX_BYTES = 96 << 20
"""Bytes of cached tiles; a 256 px tile below and above is half a MiB."""
PAIR_BYTES = 2 * TILE * TILE * 4


class CacheLevel(NamedTuple):
    """The children of the root, or of a group on the way to the active layer."""

    below: tuple[Node, ...]
    middle: Node | None
    above: tuple[Node, ...]


TilePair = tuple[Pixels | None, Pixels | None]
"""What lies below and above in one tile: 256 x 256 x 4 uint8, or None where that is clear."""


class LayerCache:
    """Flattens like core.paint.flatten, with what lies below and above the active layer cached.

    Layers are values, so a cached tile is valid as long as the layers it was made from are the
    same objects.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._levels: list[CacheLevel] = []
        self._tiles: dict[tuple[int, Key], TilePair] = {}
        self._preview: tuple[str, Tiles] | None = None
        self._previewed: tuple[Node, Node] | None = None

    def show_preview(self, layer_id: str, tiles: Tiles | None) -> None:
        """Draw other pixels in a layer's place in the stack; None for its own again."""
        self._preview = None if tiles is None else (layer_id, tiles)
        self._previewed = None

    def _root(self) -> Group:
        """The tree to draw: the document's, with the preview in its layer."""
        root = self._document.root
        if self._preview is None:
            return root
        layer_id, tiles = self._preview
        node = layers.find(root, layer_id)
        if not isinstance(node, Layer):
            return root
        if self._previewed is None or self._previewed[0] is not node:
            self._previewed = node, replace(node, tiles=tiles)
        return layers.replace_node(root, self._previewed[1])

    def flatten(self, rect: Rect) -> Pixels:
        """Flatten over rect like ``flatten(document.root, rect)``.

        Returns height x width x 4 uint8, premultiplied RGBA, 0..255.
        """
        self._update_levels()
        target = BlendTarget(rect)
        for key in keys_over(rect):
            self._draw(0, key, tile_rect(key) & rect, target)
        return target.pixels

    def _draw(
        self, depth: int, key: Key, part: Rect, target: BlendTarget, over: bool = False
    ) -> None:
        """Draw one level; ``over`` says that its layers act on what the target already shows."""
        level = self._levels[depth]
        below, above = self._tile_pair(depth, key)
        place = tile_rect(key)
        if over and not _is_plain(level.below):
            for node in level.below:
                target.draw(node, part)
        elif below is not None:
            target.draw_pixels(below, part, place)
        self._draw_middle(depth, key, part, target)
        if above is not None:
            target.draw_pixels(above, part, place)
        elif level.above and not _is_plain(level.above):
            for node in level.above:
                target.draw(node, part)

    def _draw_middle(self, depth: int, key: Key, part: Rect, target: BlendTarget) -> None:
        middle = self._levels[depth].middle
        if isinstance(middle, Group) and depth + 1 < len(self._levels):
            if middle.visible and is_pass_through(middle):
                self._draw(depth + 1, key, part, target, over=True)
            elif middle.visible and middle.opacity > 0:
                inner = BlendTarget(part)
                self._draw(depth + 1, key, part, inner)
                target.blend(middle, part, inner.pixels, part)
        elif middle is not None:
            target.draw(middle, part)

    def _update_levels(self) -> None:
        """Find the levels down to the active layer; drop the cache when they hold other layers."""
        levels = _split_tree(self._root(), self._document.state.active)
        if len(levels) != len(self._levels) or not all(map(_is_same_level, levels, self._levels)):
            self._tiles = {}
        self._levels = levels

    def _tile_pair(self, depth: int, key: Key) -> TilePair:
        found = self._tiles.get((depth, key))
        if found is None:
            if len(self._tiles) * PAIR_BYTES >= MAX_BYTES:
                del self._tiles[next(iter(self._tiles))]
            level = self._levels[depth]
            above = _flatten_tile(level.above, key) if _is_plain(level.above) else None
            found = self._tiles[depth, key] = (_flatten_tile(level.below, key), above)
        return found


def _split_tree(root: Group, active: str) -> list[CacheLevel]:
    """From the root down to the group that holds the active layer."""
    found, group = [], root
    while True:
        level = _split_group(group.children, active)
        found.append(level)
        if not isinstance(level.middle, Group) or level.middle.id == active:
            return found
        group = level.middle


def _split_group(children: tuple[Node, ...], active: str) -> CacheLevel:
    for place, child in enumerate(children):
        if child.id == active or (isinstance(child, Group) and layers.find(child, active)):
            return CacheLevel(children[:place], child, children[place + 1 :])
    return CacheLevel(children, None, ())


def _is_same_level(first: CacheLevel, second: CacheLevel) -> bool:
    return _is_same(first.below, second.below) and _is_same(first.above, second.above)


def _is_same(first: tuple[Node, ...], second: tuple[Node, ...]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def _is_plain(nodes: tuple[Node, ...]) -> bool:
    """Whether these layers may be blended together first: source-over is associative."""
    return all(node.blend == "normal" for node in nodes)


def _flatten_tile(nodes: tuple[Node, ...], key: Key) -> Pixels | None:
    """A tile of some layers; None where they show nothing."""
    if not nodes:
        return None
    target = BlendTarget(tile_rect(key))
    for node in nodes:
        target.draw(node)
    return target.pixels if target.pixels.any() else None
