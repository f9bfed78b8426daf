"""Sparse pixel planes in 256 px tiles, shared between snapshots and copied on first write."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.geometry import EMPTY, Rect

TILE = 256
Pixels = npt.NDArray[np.uint8]
Key = tuple[int, int]


class Tile(NamedTuple):
    """256 x 256 x channels uint8, 0..255; a serial belongs to one content for ever."""

    pixels: Pixels
    serial: int


class Tiles:
    """RGBA8 premultiplied (4 channels) or a mask (1 channel); what is not stored equals ``fill``.

    A snapshot is never written: ``fork`` gives a writable one that shares every tile until it
    first writes into it. Coordinates may be negative.
    """

    _serials = itertools.count(1)

    def __init__(self, channels: int = 4, fill: int = 0) -> None:
        self.channels = channels
        self.fill = fill
        self._tiles: dict[Key, Tile] = {}
        self._own: set[Key] = set()
        self._writable: set[Key] = set()

    @staticmethod
    def of(array: Pixels, x: int = 0, y: int = 0, fill: int = 0) -> "Tiles":
        """A plane with an array at (x, y). array: height x width x channels uint8, 0..255."""
        tiles = Tiles(array.shape[2], fill)
        tiles.write(Rect(x, y, array.shape[1], array.shape[0]), array)
        return tiles.prune()

    @staticmethod
    def flat(rect: Rect, colour: tuple[int, ...]) -> "Tiles":
        """A plane of one premultiplied colour inside rect; equal tiles are stored once."""
        plane = Tiles(len(colour))
        made: dict[Rect, Tile] = {}
        for key in keys_over(rect):
            part = (tile_rect(key) & rect).translate(-key[0] * TILE, -key[1] * TILE)
            if part not in made:
                pixels = np.zeros((TILE, TILE, len(colour)), np.uint8)
                pixels[part.slices] = colour
                made[part] = Tile(pixels, next(Tiles._serials))
            plane._tiles[key] = made[part]
        return plane

    @staticmethod
    def from_tiles(tiles: dict[Key, Pixels], channels: int, fill: int = 0) -> "Tiles":
        """A plane from whole tiles, each 256 x 256 x channels uint8, 0..255."""
        plane = Tiles(channels, fill)
        plane._tiles = {key: Tile(pixels, next(Tiles._serials)) for key, pixels in tiles.items()}
        return plane

    def fork(self) -> "Tiles":
        """A writable plane that shares every tile until it writes into it."""
        copy = Tiles(self.channels, self.fill)
        copy._tiles = dict(self._tiles)
        return copy

    def snapshot(self) -> "Tiles":
        """This plane as it is now: what is written into it later goes into copies of its tiles."""
        if not self._own:
            return self
        self._writable.clear()
        return self.fork()

    def items(self) -> Iterator[tuple[Key, Tile]]:
        """Every stored tile with its key, in no particular order."""
        yield from self._tiles.items()

    def tile(self, key: Key) -> Tile | None:
        """The stored tile of a key; None where the plane equals ``fill``."""
        return self._tiles.get(key)

    def invert(self) -> "Tiles":
        """A plane with 255 minus every value, fill included."""
        pixels = {key: np.asarray(255 - tile.pixels, np.uint8) for key, tile in self.items()}
        return Tiles.from_tiles(pixels, self.channels, 255 - self.fill)

    def __len__(self) -> int:
        return len(self._tiles)

    @property
    def bytes(self) -> int:
        """Memory of all stored tiles, shared ones included."""
        return len(self._tiles) * TILE * TILE * self.channels

    @property
    def bounds(self) -> Rect:
        """The smallest rectangle of whole tiles that holds everything stored."""
        return Rect.union(tile_rect(key) for key in self._tiles)

    def tight_bounds(self) -> Rect:
        """The smallest rectangle that holds every pixel that differs from fill."""
        return Rect.union(
            _tight_rect(tile.pixels, self.fill).translate(x * TILE, y * TILE)
            for (x, y), tile in self._tiles.items()
        )

    def bounds_above(self, value: int) -> Rect:
        """The smallest rectangle that holds every stored pixel of a larger value, 0..255."""
        return Rect.union(
            _used_rect(np.any(tile.pixels > value, axis=2)).translate(x * TILE, y * TILE)
            for (x, y), tile in self._tiles.items()
        )

    def pieces(self, rect: Rect) -> Iterator[tuple[Rect, Pixels]]:
        """What is stored inside rect, tile by tile, each part with the rectangle it covers.

        A part is height x width x channels uint8, 0..255; it is a view that may not be written.
        """
        for key in keys_over(rect):
            tile = self._tiles.get(key)
            if tile is not None:
                part = tile_rect(key) & rect
                yield part, tile.pixels[_slices_in_tile(part, key)]

    def read(self, rect: Rect) -> Pixels:
        """A copy of rect: height x width x channels uint8, 0..255."""
        out = np.full((rect.height, rect.width, self.channels), self.fill, np.uint8)
        for part, pixels in self.pieces(rect):
            out[part.translate(-rect.x, -rect.y).slices] = pixels
        return out

    def write(self, rect: Rect, array: Pixels) -> None:
        """Replace what is inside rect. array: height x width x channels uint8, 0..255."""
        for key in keys_over(rect):
            part = tile_rect(key) & rect
            whole = part.width == TILE and part.height == TILE
            self._writable_pixels(key, blank=whole)[_slices_in_tile(part, key)] = array[
                part.translate(-rect.x, -rect.y).slices
            ]

    def _writable_pixels(self, key: Key, blank: bool) -> Pixels:
        """The pixels of a tile that is this plane's own; a blank one does not copy what was."""
        tile = self._tiles.get(key)
        if tile is not None and key in self._writable:
            pixels = tile.pixels
        elif tile is not None and not blank:
            pixels = tile.pixels.copy()
        else:
            pixels = np.full((TILE, TILE, self.channels), self.fill, np.uint8)
        self._own.add(key)
        self._writable.add(key)
        self._tiles[key] = Tile(pixels, next(Tiles._serials))
        return pixels

    def prune(self) -> "Tiles":
        """Forget written tiles that equal fill again, and stop being writable."""
        for key in self._own:
            tile = self._tiles.get(key)
            if tile is not None and not (tile.pixels != self.fill).any():
                del self._tiles[key]
        self._own, self._writable = set(), set()
        return self

    def share_equal(self, row: int) -> None:
        """Store written tiles of one row once where they equal the tile to the left or above.

        They stop being writable. row: the second number of the tiles' keys.
        """
        for x, y in sorted(key for key in self._own if key[1] == row):
            for other in ((x - 1, y), (x, y - 1)):
                twin, tile = self._tiles.get(other), self._tiles[x, y]
                if twin is not None and np.array_equal(twin.pixels, tile.pixels):
                    self._tiles[x, y] = twin
                    self._own -= {(x, y), other}
                    break

    def differs_from(self, other: "Tiles") -> list[Key]:
        """Keys of tiles with different serials in the two planes."""
        mine, theirs = self._tiles, other._tiles
        return [
            key
            for key in mine.keys() | theirs.keys()
            if not _is_same_tile(mine.get(key), theirs.get(key))
        ]


def _is_same_tile(first: Tile | None, second: Tile | None) -> bool:
    return (first and first.serial) == (second and second.serial)


def tile_rect(key: Key) -> Rect:
    """The pixels of a plane that a tile covers."""
    return Rect(key[0] * TILE, key[1] * TILE, TILE, TILE)


def keys_over(rect: Rect) -> Iterator[Key]:
    """Keys of all tiles that a rectangle touches."""
    if rect:
        for y in range(rect.y // TILE, (rect.bottom - 1) // TILE + 1):
            for x in range(rect.x // TILE, (rect.right - 1) // TILE + 1):
                yield x, y


def _slices_in_tile(part: Rect, key: Key) -> tuple[slice, slice]:
    return part.translate(-key[0] * TILE, -key[1] * TILE).slices


def _tight_rect(pixels: Pixels, fill: int) -> Rect:
    """The smallest rectangle of a tile that holds every pixel that differs from fill."""
    if pixels.shape[2] == 4 and pixels.flags.c_contiguous:
        used = pixels.view(np.uint32)[..., 0] != fill * 0x01010101
    else:
        used = (pixels != fill).any(axis=2)
    return _used_rect(used)


def _used_rect(used: npt.NDArray[np.bool_]) -> Rect:
    """The smallest rectangle that holds everything that is true."""
    rows, columns = np.flatnonzero(used.any(axis=1)), np.flatnonzero(used.any(axis=0))
    if not rows.size:
        return EMPTY
    return Rect.from_edges(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
