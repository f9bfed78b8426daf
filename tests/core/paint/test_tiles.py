"""Tiles: snapshots share, writers copy, and everything reads as one plane."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.geometry import EMPTY, Rect
from core.paint.tiles import TILE, Tiles, keys_over, tile_rect

PLACE = st.integers(-400, 400)
SIDE = st.integers(1, 300)


@given(PLACE, PLACE, SIDE, SIDE)
def test_what_was_written_is_read_and_nothing_else(x: int, y: int, width: int, height: int) -> None:
    array = np.random.default_rng(0).integers(1, 256, (height, width, 4), np.uint8)
    tiles = Tiles.of(array, x, y)
    assert np.array_equal(tiles.read(Rect(x, y, width, height)), array)
    around = tiles.read(Rect(x - 5, y - 5, width + 10, height + 10))
    around[5:-5, 5:-5] = 0
    assert not around.any()
    assert tiles.tight_bounds() == Rect(x, y, width, height)
    assert (tiles.bounds & Rect(x, y, width, height)) == Rect(x, y, width, height)


def test_a_fork_shares_until_it_writes() -> None:
    first = Tiles.of(np.full((300, 300, 4), 9, np.uint8))
    second = first.fork()
    second.write(Rect(0, 0, 1, 1), np.zeros((1, 1, 4), np.uint8))
    assert first.read(Rect(0, 0, 1, 1)).max() == 9
    assert second.differs_from(first) == [(0, 0)]
    assert second.tile((1, 1)) is first.tile((1, 1))


def test_a_serial_names_one_content() -> None:
    tiles = Tiles()
    serials = set()
    for value in range(5):
        tiles.write(Rect(0, 0, 3, 3), np.full((3, 3, 4), value, np.uint8))
        tile = tiles.tile((0, 0))
        assert tile is not None
        serials.add(tile.serial)
    assert len(serials) == 5


def test_what_equals_fill_again_is_forgotten() -> None:
    tiles = Tiles(channels=1, fill=255).fork()
    tiles.write(Rect(10, 10, 5, 5), np.zeros((5, 5, 1), np.uint8))
    assert len(tiles.prune()) == 1
    again = tiles.fork()
    again.write(Rect(10, 10, 5, 5), np.full((5, 5, 1), 255, np.uint8))
    assert len(again.prune()) == 0
    assert again.tight_bounds() == EMPTY
    assert again.read(Rect(0, 0, 20, 20)).min() == 255


def test_pieces_are_views_that_cover_what_is_stored() -> None:
    tiles = Tiles.of(np.full((TILE, 2 * TILE, 4), 7, np.uint8))
    parts = list(tiles.pieces(Rect(200, 100, 400, 400)))
    assert Rect.union(part for part, _ in parts) == Rect(200, 100, 312, 156)
    assert all(pixels.base is not None for _, pixels in parts)


def test_keys_and_rectangles_fit() -> None:
    assert set(keys_over(Rect(-1, 255, 2, 2))) == {(-1, 0), (0, 0), (-1, 1), (0, 1)}
    assert list(keys_over(EMPTY)) == []
    assert tile_rect((-1, 2)) == Rect(-256, 512, 256, 256)


def test_a_flat_plane_is_full_inside_and_holds_equal_tiles_once() -> None:
    rect = Rect(0, 0, 5 * TILE + 7, 3 * TILE)
    tiles = Tiles.flat(rect, (9, 8, 7, 255))
    assert (tiles.read(rect) == (9, 8, 7, 255)).all()
    assert tiles.tight_bounds() == rect
    assert len({tile.serial for _, tile in tiles.items()}) == 2
    written = tiles.fork()
    written.write(Rect(3, 3, 1, 1), np.zeros((1, 1, 4), np.uint8))
    assert (tiles.read(rect) == (9, 8, 7, 255)).all()
    assert written.differs_from(tiles) == [(0, 0)]


def test_tight_bounds_see_every_channel_and_every_fill() -> None:
    for channel in range(4):
        pixels = np.full((20, 30, 4), 255, np.uint8)
        pixels[7, 11, channel] = 254
        assert Tiles.of(pixels, fill=255).tight_bounds() == Rect(11, 7, 1, 1)
