"""What is kept around the active layer never shows: the picture is that of core.paint.flatten."""

from dataclasses import replace
from typing import Any

import numpy as np

from core.geometry import Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import Group, Layer, Node, replace_node, walk
from core.paint.tiles import Tiles
from editor.canvas.layer_cache import LayerCache
from tests.core.paint.test_flatten import picture, tree

WHOLE = Rect(0, 0, 300, 280)


def make_document(*nodes: Node) -> Document:
    return Document(Size(300, 280), Group("Root", children=nodes))


def is_close(made: Document, shown: Any) -> bool:
    exact = flatten(made.root, WHOLE).astype(int)
    return bool(np.abs(exact - shown).max() <= 3)


def test_any_active_layer_gives_the_same_picture() -> None:
    made = make_document(*tree().children)
    cache = LayerCache(made)
    for node in walk(made.root):
        made.activate(node.id)
        assert is_close(made, cache.flatten(WHOLE)), node.name


def test_every_change_of_any_layer_shows() -> None:
    made = make_document(*tree().children)
    cache = LayerCache(made)
    ids = [node.id for node in walk(made.root)]
    for active in ids:
        made.activate(active)
        cache.flatten(WHOLE)
        for changed in ids:
            node = made.find(changed)
            for after in (
                replace(node, visible=not node.visible),
                replace(node, opacity=0.3),
                replace(node, blend="difference"),
            ):
                before = made.root
                made.change("Change", replace_node(made.root, after))
                assert is_close(made, cache.flatten(WHOLE)), (active, node.name)
                made.change("Back", before)


def test_paint_in_a_group_shows_at_once() -> None:
    made = make_document(*tree().children)
    inner = next(node for node in walk(made.root) if node.name == "a")
    made.activate(inner.id)
    cache = LayerCache(made)
    cache.flatten(WHOLE)
    with made.paint(inner.id, "Stroke") as painting:
        painting.blend(np.full((50, 50), 255, np.uint8), 100, 100, (250, 0, 0, 255))
        assert is_close(made, cache.flatten(WHOLE))


def test_no_layers_and_no_active_layer_are_pictures_too() -> None:
    assert not LayerCache(make_document()).flatten(WHOLE).any()
    made = make_document(Layer("l", tiles=Tiles.of(picture(1))))
    assert is_close(made, LayerCache(made).flatten(WHOLE))
