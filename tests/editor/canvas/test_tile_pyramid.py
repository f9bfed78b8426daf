"""The images on the screen: right at every level, and drawn again only where they changed."""

from typing import Any

import numpy as np
import pytest

from core.geometry import EMPTY, Point, Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import Group, Layer, Node
from core.paint.tiles import Tiles
from editor.canvas.tile_pyramid import MAX_BYTES, TILE_BYTES, PyramidTile, TilePyramid, level_for
from tests.core.paint.test_flatten import tree


def make_document(*nodes: Node) -> Document:
    return Document(Size(300, 280), Group("Root", children=nodes))


def image_pixels(pyramid: TilePyramid, tile: PyramidTile) -> Any:
    image = pyramid.image(tile)
    bgra = np.frombuffer(image.constBits(), np.uint8).reshape(256, 256, 4)
    return bgra[..., [2, 1, 0, 3]].astype(int)


def test_an_image_holds_the_pixels_of_its_tile() -> None:
    made = make_document(*tree().children)
    found = image_pixels(TilePyramid(made), PyramidTile(0, 1, 0))
    exact = flatten(made.root, Rect(256, 0, 44, 256)).astype(int)
    assert np.abs(found[:, :44] - exact).max() <= 3
    assert not found[:, 44:].any(), "nothing is drawn outside the canvas"


@pytest.mark.parametrize("tile", [PyramidTile(2, 1, 0), PyramidTile(1, 0, 1), PyramidTile(0, 9, 9)])
def test_a_tile_that_only_touches_the_canvas_is_empty(tile: PyramidTile) -> None:
    made = Document(Size(1024, 512), Group("Root", children=tree().children))
    assert not image_pixels(TilePyramid(made), tile).any()


@pytest.mark.parametrize("level", [1, 2, 4])
def test_a_smaller_image_holds_the_mean_of_its_pixels(level: int) -> None:
    ground = np.full((280, 300, 4), 255, np.uint8)
    ground[..., :3] = np.indices((280, 300)).sum(0)[..., None] % 256
    made = make_document(Layer("l", tiles=Tiles.of(ground)))
    scale = 1 << level
    rows, columns = 280 // scale, 300 // scale
    blocks = ground[: rows * scale, : columns * scale].reshape(rows, scale, columns, scale, 4)
    found = image_pixels(TilePyramid(made), PyramidTile(level, 0, 0))[:rows, :columns]
    assert np.abs(found - blocks.mean(axis=(1, 3))[:256, :256]).max() <= 1


@pytest.mark.parametrize("level", [0, 2])
def test_paint_refreshes_exactly_the_images_it_touches(level: int) -> None:
    made = make_document(Layer("l"))
    made.activate(made.root.children[0].id)
    pyramid = TilePyramid(made)
    made.changed.connect(pyramid.mark_dirty)
    tiles = pyramid.tiles_over(made.bounds, level)
    for tile in tiles:
        pyramid.image(tile)
    with made.paint(made.root.children[0].id, "Stroke") as painting:
        painting.blend(np.full((8, 8), 255, np.uint8), 270, 10, (250, 0, 0, 255))
    stale = [tile for tile in tiles if not pyramid.is_fresh(tile)]
    assert stale == [tile for tile in tiles if tile.rect & Rect(270, 10, 8, 8)]
    for tile in tiles:
        pyramid.image(tile)
    assert image_pixels(pyramid, stale[0]).any()


def test_after_the_deadline_one_band_at_a_time_is_drawn() -> None:
    ground = np.full((2048, 2048, 4), 255, np.uint8)
    layer = Layer("l", tiles=Tiles.of(ground))
    made = Document(Size(2048, 2048), Group("Root", children=(layer,)))
    pyramid, tile = TilePyramid(made), PyramidTile(3, 0, 0)
    rounds = 0
    while not pyramid.is_fresh(tile):
        filled = int((draw_until(pyramid, tile, 0.0)[..., 3] == 255).all(1).sum())
        rounds += 1
        assert filled == 32 * rounds
    assert rounds == 8


def draw_until(pyramid: TilePyramid, tile: PyramidTile, deadline: float) -> Any:
    image = pyramid.image(tile, deadline)
    return np.frombuffer(image.constBits(), np.uint8).reshape(256, 256, 4)


def test_a_huge_document_takes_bounded_memory() -> None:
    made = Document(Size(16384, 16384))
    pyramid = TilePyramid(made)
    for tile in pyramid.tiles_over(made.bounds, 0)[: MAX_BYTES // TILE_BYTES + 40]:
        pyramid.image(tile)
    assert len(pyramid._images) == MAX_BYTES // TILE_BYTES
    assert len(pyramid.tiles_over(made.bounds, level_for(0.05))) == 16


def test_levels_leave_at_least_a_pixel_for_a_pixel() -> None:
    assert [level_for(zoom) for zoom in (8, 1, 0.9, 0.5, 0.49, 0.25, 0.1)] == [0, 0, 0, 1, 1, 2, 3]
    assert level_for(1e-9) == 8


def test_an_empty_change_makes_nothing_stale() -> None:
    made = make_document(Layer("l", position=Point(3, 3)))
    pyramid = TilePyramid(made)
    tile = PyramidTile(0, 0, 0)
    pyramid.image(tile)
    pyramid.mark_dirty(EMPTY)
    assert pyramid.is_fresh(tile)
