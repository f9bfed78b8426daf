"""The layer tree as a value: changes make new trees that share what they can."""

from dataclasses import replace

import pytest

from core.geometry import Point, Rect
from core.paint import layers
from core.paint.layers import AiLayer, Group, Layer, Mask
from core.paint.tiles import Tiles

A, B, C, D = (Layer(name, id=name) for name in "abcd")
INNER = Group("inner", id="inner", children=(B, C))
ROOT = Group("root", id="root", children=(A, INNER, D))


def names(group: Group) -> list[str]:
    return [node.name for node in layers.walk(group)]


def test_walking_goes_up_and_a_group_before_what_it_holds() -> None:
    assert names(ROOT) == ["a", "inner", "b", "c", "d"]
    assert layers.find(ROOT, "c") is C
    assert layers.find(ROOT, "gone") is None
    parent = layers.parent_of(ROOT, "c")
    assert parent is INNER
    assert layers.parent_of(ROOT, "a") is ROOT
    assert layers.parent_of(ROOT, "gone") is None


def test_replacing_shares_the_rest() -> None:
    changed = layers.replace_node(ROOT, replace(B, visible=False))
    assert names(changed) == names(ROOT)
    assert changed.children[0] is A
    assert changed.children[2] is D
    assert changed.children[1] is not INNER
    assert layers.replace_node(ROOT, Layer("x", id="gone")) is ROOT


def test_removing_and_inserting() -> None:
    assert names(layers.remove_node(ROOT, "b")) == ["a", "inner", "c", "d"]
    assert names(layers.remove_node(ROOT, "inner")) == ["a", "d"]
    assert layers.remove_node(ROOT, "gone") is ROOT
    new = Layer("new")
    assert names(layers.insert_node(ROOT, "inner", 1, new)) == ["a", "inner", "b", "new", "c", "d"]
    assert names(layers.insert_node(ROOT, "root", 0, new))[0] == "new"
    with pytest.raises(KeyError):
        layers.insert_node(ROOT, "gone", 0, new)


def test_planes_by_name() -> None:
    edit = AiLayer("edit", mask=Mask())
    assert set(layers.planes(edit)) == {"pixels", "region", "mask"}
    assert layers.planes(Group("g")) == {}
    other = Tiles(channels=1)
    assert layers.with_plane(edit, "region", other).region is other
    changed = layers.with_plane(edit, "mask", other)
    assert changed.mask is not None
    assert changed.mask.tiles is other
    with pytest.raises(KeyError):
        layers.with_plane(Layer("plain"), "mask", other)


def test_extent_follows_position_and_canvas() -> None:
    import numpy as np

    canvas = Rect(0, 0, 1000, 1000)
    layer = Layer("l", tiles=Tiles.of(np.ones((10, 10, 4), np.uint8)), position=Point(900, -100))
    assert layers.extent(layer, canvas) == Rect(900, 0, 100, 156)
    assert layers.extent(Group("g", children=(layer,)), canvas) == Rect(900, 0, 100, 156)
