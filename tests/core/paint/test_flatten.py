"""Flattening against a float64 picture of the same tree, and its promises about rectangles."""

import tracemalloc
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry import Point, Rect
from core.paint.flatten import flatten
from core.paint.layers import Group, Layer, Mask, Node
from core.paint.tiles import Pixels, Tiles
from tests.core.paint.test_blend_modes import reference

WHOLE = Rect(0, 0, 300, 280)


def picture(seed: int, width: int = 300, height: int = 280) -> Pixels:
    """Premultiplied noise with clear holes."""
    random = np.random.default_rng(seed)
    raw = random.integers(0, 256, (height, width, 4), np.uint8)
    raw[raw[..., 3] < 60] = 0
    raw[..., :3] = np.minimum(raw[..., :3], raw[..., 3:])
    return raw


def tree() -> Group:
    """Every property once: opacity, mask, position, blend mode, a group with its own of each."""
    masked = Mask(Tiles.of(picture(7)[..., :1], fill=255))
    inner = (
        Layer("a", tiles=Tiles.of(picture(1)), blend="multiply"),
        Layer("b", tiles=Tiles.of(picture(2, 90, 70)), position=Point(-20, 200), opacity=0.4),
    )
    return Group(
        "Root",
        children=(
            Layer("ground", tiles=Tiles.of(picture(3)), mask=masked),
            Group("group", children=inner, opacity=0.7, blend="screen", mask=masked),
            Layer("hidden", tiles=Tiles.of(picture(4)), visible=False),
            Layer("top", tiles=Tiles.of(picture(5, 120, 300)), position=Point(260, -9)),
        ),
    )


def exact(group: Group, rect: Rect) -> npt.NDArray[np.float64]:
    """The same tree by the formulas, in bytes as floats."""
    out = np.zeros((rect.height, rect.width, 4))
    for node in group.children:
        if node.visible:
            out = reference(_source(node, rect), out, node.blend)
    return out


def _source(node: Node, rect: Rect) -> npt.NDArray[np.float64]:
    x, y = node.position if isinstance(node, Layer) else Point(0, 0)
    if isinstance(node, Group):
        pixels = exact(node, rect)
    else:
        assert isinstance(node, Layer)
        pixels = node.tiles.read(rect.translate(-x, -y)).astype(np.float64)
    shares = np.ones((rect.height, rect.width, 1))
    if node.mask is not None and node.mask.visible:
        shares = node.mask.tiles.read(rect.translate(-x, -y)) / 255.0
    return np.asarray(pixels * shares * node.opacity)


def test_a_tree_with_every_property_follows_the_formulas() -> None:
    worst = np.abs(flatten(tree(), WHOLE) - exact(tree(), WHOLE)).max()
    assert worst <= 3.0, "bytes are rounded at most five times on the way up"


@given(st.integers(-40, 290), st.integers(-40, 290), st.integers(1, 120), st.integers(1, 120))
@settings(max_examples=30, deadline=None)
def test_any_rectangle_is_that_part_of_the_whole(x: int, y: int, width: int, height: int) -> None:
    around = Rect(-40, -40, 460, 460)
    rect = Rect(x, y, width, height)
    whole = flatten(tree(), around)
    assert np.array_equal(flatten(tree(), rect), whole[rect.translate(40, 40).slices])


def test_hidden_and_transparent_layers_are_as_if_absent() -> None:
    root = tree()
    ghost = Layer("ghost", tiles=Tiles.of(picture(9)), opacity=0.0)
    kept = tuple(node for node in root.children if node.visible)
    with_ghost = replace(root, children=(*root.children, ghost))
    assert np.array_equal(flatten(with_ghost, WHOLE), flatten(Group("R", children=kept), WHOLE))


def test_a_group_is_blended_together_before_it_meets_what_is_below() -> None:
    grey = np.full((4, 4, 4), 128, np.uint8)
    grey[..., 3] = 255
    multiplied = Layer("grey", tiles=Tiles.of(grey), blend="multiply")
    rect = Rect(0, 0, 4, 4)
    rect = Rect(0, 0, 4, 4)
    black = np.zeros((4, 4, 4), np.uint8)
    black[..., 3] = 255
    below = Layer("black", tiles=Tiles.of(black))
    isolated = Group("Root", children=(below, Group("g", children=(multiplied,))))
    loose = Group("Root", children=(below, multiplied))
    assert flatten(isolated, rect)[0, 0].tolist() == [128, 128, 128, 255]
    assert flatten(loose, rect)[0, 0].tolist() == [0, 0, 0, 255]


@pytest.mark.parametrize("position", [Point(0, 0), Point(31, -17)])
def test_a_mask_moves_with_its_layer_and_can_be_switched_off(position: Point) -> None:
    half = Tiles(channels=1, fill=255)
    half.write(Rect(0, 0, 300, 100), np.zeros((100, 300, 1), np.uint8))
    layer = Layer("l", tiles=Tiles.of(picture(1)), position=position, mask=Mask(half))
    place = WHOLE.translate(*position)
    shown = flatten(Group("R", children=(layer,)), place)
    assert not shown[:100].any()
    assert np.array_equal(shown[100:], picture(1)[100:])
    switched_off = replace(layer, mask=Mask(half, visible=False))
    assert np.array_equal(flatten(Group("R", children=(switched_off,)), place), picture(1))


def test_a_small_rectangle_of_a_huge_tree_costs_only_its_own_size() -> None:
    tile = np.full((256, 256, 4), 255, np.uint8)
    huge = Tiles.from_tiles({(x, y): tile for x in range(64) for y in range(64)}, 4)
    root = Group("R", children=tuple(Layer(f"{n}", tiles=huge) for n in range(8)))
    tracemalloc.start()
    flatten(root, Rect(8000, 8000, 64, 64))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000
