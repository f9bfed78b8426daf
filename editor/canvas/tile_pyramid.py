"""The document as a pyramid of 256 px images; an image is made when it is first shown."""

import math
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from core.geometry import EMPTY, Rect
from core.paint.document import Document
from core.paint.tiles import TILE, Pixels, keys_over
from editor.canvas.layer_cache import LayerCache
from editor.canvas.qt_blend import wrap_pixels

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from core.paint.tiles import Tiles

MAX_BYTES = 96 << 20
TILE_BYTES = TILE * TILE * 4
MAX_LEVEL = 8
"""The coarsest level."""


class PyramidTile(NamedTuple):
    """One image of the pyramid: at level n it covers 256 * 2^n document pixels a side."""

    level: int
    x: int
    y: int

    @property
    def rect(self) -> Rect:
        side = TILE << self.level
        return Rect(self.x * side, self.y * side, side, side)


class TilePyramid:
    """Images of a document by level and place, refreshed where the document changed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._layer_cache = LayerCache(document)
        self._images: OrderedDict[PyramidTile, tuple[QImage, Pixels]] = OrderedDict()
        self._dirty: dict[PyramidTile, Rect] = {}

    def show_preview(self, layer_id: str, tiles: "Tiles | None") -> None:
        """Draw other pixels in a layer's place; the caller marks what changes."""
        self._layer_cache.show_preview(layer_id, tiles)

    def mark_dirty(self, rect: Rect) -> None:
        """Remember that a document rectangle must be drawn again."""
        for tile in self._cached_tiles_over(rect):
            self._dirty[tile] = self._dirty.get(tile, EMPTY) | (tile.rect & rect)

    def _cached_tiles_over(self, rect: Rect) -> Iterator[PyramidTile]:
        """The cached images that touch a document rectangle."""
        for level in {tile.level for tile in self._images}:
            found = self.tiles_over(rect, level)
            yield from (tile for tile in found if tile in self._images)

    def tiles_over(self, rect: Rect, level: int) -> list[PyramidTile]:
        """The images that cover a document rectangle at a level."""
        scale = 1 << level
        small = Rect.from_edges(
            rect.x // scale, rect.y // scale, -(-rect.right // scale), -(-rect.bottom // scale)
        )
        return [PyramidTile(level, x, y) for x, y in keys_over(small)]

    def is_fresh(self, tile: PyramidTile) -> bool:
        """Whether nothing has to be drawn before the tile can be shown."""
        return tile in self._images and tile not in self._dirty

    def old_image(self, tile: PyramidTile) -> "QImage | None":
        """What was last drawn for a tile, if anything."""
        return self._images[tile][0] if tile in self._images else None

    def image(self, tile: PyramidTile, deadline: float = math.inf) -> "QImage":
        """The picture of a tile, ARGB32 premultiplied: up to date, unless the time runs out.

        ``deadline`` is on the clock of time.perf_counter; some part is always brought up to date.
        """
        if tile not in self._images:
            pixels = np.zeros((TILE, TILE, 4), np.uint8)
            self._images[tile] = (wrap_pixels(pixels), pixels)
            self._dirty[tile] = tile.rect
            self._shrink()
        self._images.move_to_end(tile)
        dirty = self._dirty.pop(tile, EMPTY)
        bands = self._split_bands(tile, dirty)
        for number, band in enumerate(bands):
            if number and time.perf_counter() > deadline:
                self._dirty[tile] = Rect.union(bands[number:])
                break
            self._refresh(tile, band)
        return self._images[tile][0]

    def _shrink(self) -> None:
        while len(self._images) * TILE_BYTES > MAX_BYTES:
            old, _ = self._images.popitem(last=False)
            self._dirty.pop(old, None)

    def _split_bands(self, tile: PyramidTile, dirty: Rect) -> list[Rect]:
        """What to draw, in whole pixels of the tile, in bands that stay small in memory."""
        scale = 1 << tile.level
        rect = (dirty.snap(scale) & tile.rect) & self._document.bounds.snap(scale)
        if not rect:  # a tile that only touches the canvas
            return []
        tall = max(scale, TILE)
        return [
            Rect(rect.x, y, rect.width, min(tall, rect.bottom - y))
            for y in range(rect.y, rect.bottom, tall)
        ]

    def _refresh(self, tile: PyramidTile, rect: Rect) -> None:
        scale = 1 << tile.level
        shown = _shrink(self._layer_cache.flatten(rect), scale)
        left, top = (rect.x - tile.rect.x) // scale, (rect.y - tile.rect.y) // scale
        place = Rect(left, top, shown.shape[1], shown.shape[0]).slices
        cv2.cvtColor(shown, cv2.COLOR_RGBA2BGRA, dst=shown)
        self._images[tile][1][place] = shown


def _shrink(pixels: Pixels, scale: int) -> Pixels:
    if scale == 1:
        return pixels
    size = pixels.shape[1] // scale, pixels.shape[0] // scale
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def level_for(zoom: float) -> int:
    """The coarsest level that still has a pixel for every screen pixel."""
    level = 0
    while level < MAX_LEVEL and zoom * (2 << level) <= 1.0001:
        level += 1
    return level
