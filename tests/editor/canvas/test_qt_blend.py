"""Drawing with Qt gives the pixels of core.paint.flatten; what is remembered never shows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.geometry import EMPTY, Point, Rect, Size
from core.paint.blend_modes import MODES as ALL
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import Group, Layer, Node, replace_node, walk
from core.paint.tiles import Tiles
from editor.canvas.layer_cache import LayerCache
from editor.canvas.qt_blend import MODES, BlendTarget
from editor.canvas.tile_pyramid import BUDGET, TILE_BYTES, PyramidTile, TilePyramid, level_for
from tests.core.paint.test_blend_modes import every_pixel, reference
from tests.core.paint.test_flatten import picture, tree

WHOLE = Rect(0, 0, 300, 280)


@pytest.mark.parametrize("mode", ALL)
def test_every_mode_is_within_one_of_the_formula(mode: str) -> None:
    source, backdrop = every_pixel()
    sheet = BlendTarget(Rect(0, 0, source.shape[1], source.shape[0]))
    sheet.pixels[:] = backdrop
    node = Layer("l", blend=mode)
    sheet.blend(node, sheet.rect, source, sheet.rect)
    assert np.abs(sheet.pixels - reference(source, backdrop, mode)).max() <= 1.0


def test_most_modes_are_drawn_by_qt() -> None:
    assert set(ALL) - set(MODES) == {"colour-dodge", "soft-light", "exclusion"}


def test_a_tree_with_every_property_is_drawn_like_the_reference() -> None:
    sheet = BlendTarget(WHOLE)
    for node in tree().children:
        sheet.draw(node)
    assert np.abs(sheet.pixels.astype(int) - flatten(tree(), WHOLE)).max() <= 3


def test_drawing_inside_a_part_leaves_the_rest() -> None:
    part = Rect(40, 30, 100, 90)
    sheet, whole = BlendTarget(WHOLE), BlendTarget(WHOLE)
    for node in tree().children:
        sheet.draw(node, part)
        whole.draw(node)
    assert np.array_equal(sheet.pixels[part.slices], whole.pixels[part.slices])
    sheet.pixels[part.slices] = 0
    assert not sheet.pixels.any()


# What is remembered around the active layer


def document(*nodes: Node) -> Document:
    return Document(Size(300, 280), Group("Root", children=nodes))


def close(made: Document, shown: Any) -> bool:
    exact = flatten(made.root, WHOLE).astype(int)
    return bool(np.abs(exact - shown).max() <= 3)


def test_any_active_layer_gives_the_same_picture() -> None:
    made = document(*tree().children)
    planes = LayerCache(made)
    for node in walk(made.root):
        made.activate(node.id)
        assert close(made, planes.flatten(WHOLE)), node.name


def test_every_change_of_any_layer_shows() -> None:
    made = document(*tree().children)
    planes = LayerCache(made)
    ids = [node.id for node in walk(made.root)]
    for active in ids:
        made.activate(active)
        planes.flatten(WHOLE)
        for changed in ids:
            node = made.find(changed)
            for after in (
                replace(node, visible=not node.visible),
                replace(node, opacity=0.3),
                replace(node, blend="difference"),
            ):
                before = made.root
                made.change("Change", replace_node(made.root, after))
                assert close(made, planes.flatten(WHOLE)), (active, node.name)
                made.change("Back", before)


def test_paint_in_a_group_shows_at_once() -> None:
    made = document(*tree().children)
    inner = next(node for node in walk(made.root) if node.name == "a")
    made.activate(inner.id)
    planes = LayerCache(made)
    planes.flatten(WHOLE)
    with made.paint(inner.id, "Stroke") as painting:
        painting.blend(np.full((50, 50), 255, np.uint8), 100, 100, (250, 0, 0, 255))
        assert close(made, planes.flatten(WHOLE))


def test_no_layers_and_no_active_layer_are_pictures_too() -> None:
    assert not LayerCache(document()).flatten(WHOLE).any()
    made = document(Layer("l", tiles=Tiles.of(picture(1))))
    assert close(made, LayerCache(made).flatten(WHOLE))


# The images on the screen


def shown(pyramid: TilePyramid, spot: PyramidTile) -> Any:
    image = pyramid.image(spot)
    bgra = np.frombuffer(image.constBits(), np.uint8).reshape(256, 256, 4)
    return bgra[..., [2, 1, 0, 3]].astype(int)


def test_an_image_holds_the_pixels_of_its_spot() -> None:
    made = document(*tree().children)
    found = shown(TilePyramid(made), PyramidTile(0, 1, 0))
    exact = flatten(made.root, Rect(256, 0, 44, 256)).astype(int)
    assert np.abs(found[:, :44] - exact).max() <= 3
    assert not found[:, 44:].any(), "nothing is drawn beside the canvas"


@pytest.mark.parametrize("level", [1, 2, 4])
def test_a_smaller_image_holds_the_mean_of_its_pixels(level: int) -> None:
    ground = np.full((280, 300, 4), 255, np.uint8)
    ground[..., :3] = np.indices((280, 300)).sum(0)[..., None] % 256
    made = document(Layer("l", tiles=Tiles.of(ground)))
    scale = 1 << level
    rows, columns = 280 // scale, 300 // scale
    blocks = ground[: rows * scale, : columns * scale].reshape(rows, scale, columns, scale, 4)
    found = shown(TilePyramid(made), PyramidTile(level, 0, 0))[:rows, :columns]
    assert np.abs(found - blocks.mean(axis=(1, 3))[:256, :256]).max() <= 1


@pytest.mark.parametrize("level", [0, 2])
def test_paint_refreshes_exactly_the_images_it_touches(level: int) -> None:
    made = document(Layer("l"))
    made.activate(made.root.children[0].id)
    pyramid = TilePyramid(made)
    made.changed.connect(pyramid.mark_dirty)
    spots = pyramid.spots(made.bounds, level)
    for spot in spots:
        pyramid.image(spot)
    with made.paint(made.root.children[0].id, "Stroke") as painting:
        painting.blend(np.full((8, 8), 255, np.uint8), 270, 10, (250, 0, 0, 255))
    stale = [spot for spot in spots if not pyramid.is_fresh(spot)]
    assert stale == [spot for spot in spots if spot.rect & Rect(270, 10, 8, 8)]
    for spot in spots:
        pyramid.image(spot)
    assert shown(pyramid, stale[0]).any()


def test_what_is_due_too_late_is_drawn_strip_by_strip() -> None:
    ground = np.full((2048, 2048, 4), 255, np.uint8)
    layer = Layer("l", tiles=Tiles.of(ground))
    made = Document(Size(2048, 2048), Group("Root", children=(layer,)))
    pyramid, spot = TilePyramid(made), PyramidTile(3, 0, 0)
    rounds = 0
    while not pyramid.is_fresh(spot):
        filled = int((shown_until(pyramid, spot, 0.0)[..., 3] == 255).all(1).sum())
        rounds += 1
        assert filled == 32 * rounds
    assert rounds == 8


def shown_until(pyramid: TilePyramid, spot: PyramidTile, deadline: float) -> Any:
    image = pyramid.image(spot, deadline)
    return np.frombuffer(image.constBits(), np.uint8).reshape(256, 256, 4)


def test_a_huge_document_takes_only_what_is_looked_at() -> None:
    made = Document(Size(16384, 16384))
    pyramid = TilePyramid(made)
    for spot in pyramid.spots(made.bounds, 0)[: BUDGET // TILE_BYTES + 40]:
        pyramid.image(spot)
    assert len(pyramid._images) == BUDGET // TILE_BYTES
    assert len(pyramid.spots(made.bounds, level_for(0.05))) == 16


def test_levels_leave_at_least_a_pixel_for_a_pixel() -> None:
    assert [level_for(zoom) for zoom in (8, 1, 0.9, 0.5, 0.49, 0.25, 0.1)] == [0, 0, 0, 1, 1, 2, 3]
    assert level_for(1e-9) == 8


def test_nothing_touched_is_nothing_stale() -> None:
    made = document(Layer("l", position=Point(3, 3)))
    pyramid = TilePyramid(made)
    spot = PyramidTile(0, 0, 0)
    pyramid.image(spot)
    pyramid.mark_dirty(EMPTY)
    assert pyramid.is_fresh(spot)
