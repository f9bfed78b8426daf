"""Computed pixels join the states they belong to, and undo leads through them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.geometry import Size
from core.paint import layers
from core.paint.document import Document
from core.paint.layers import AiLayer, Group, Layer
from core.paint.tiles import Tiles

RED = Tiles.of(np.full((8, 8, 4), (255, 0, 0, 255), np.uint8))
BLUE = Tiles.of(np.full((8, 8, 4), (0, 0, 255, 255), np.uint8))


def _showing(layer_id: str, tiles: Tiles, seed: int) -> Callable[[Group], Group]:
    def change(root: Group) -> Group:
        node = layers.find(root, layer_id)
        if not isinstance(node, AiLayer) or node.recipe.seed != seed:
            return root
        return layers.replace_node(root, replace(node, tiles=tiles))

    return change


def _pixels(document: Document, layer_id: str) -> Tiles | None:
    node = layers.find(document.root, layer_id)
    return node.tiles if isinstance(node, Layer) else None


def _seeded(document: Document, layer: AiLayer, seed: int) -> None:
    node = document.find(layer.id)
    assert isinstance(node, AiLayer)
    document.replace("Re-seed", replace(node, recipe=replace(node.recipe, seed=seed)))


def test_a_result_disappears_with_the_edit_that_asked_for_it() -> None:
    document = Document(Size(64, 64))
    layer = AiLayer("boat")
    document.insert("AI stroke", layer)
    asked = document.root
    document.insert("Ink", Layer("ink"))
    document.amend(asked, _showing(layer.id, RED, seed=0))
    assert [edit.label for edit in document.history.done] == ["AI stroke", "Ink"]
    document.undo()
    assert _pixels(document, layer.id) is RED, "the ink went, the result stayed"
    document.undo()
    assert document.root.children == (), "stroke and result went together"
    document.redo()
    assert _pixels(document, layer.id) is RED


def test_states_before_the_question_keep_their_answer() -> None:
    document = Document(Size(64, 64))
    layer = AiLayer("boat")
    document.insert("AI stroke", layer)
    document.amend(document.root, _showing(layer.id, RED, seed=0))
    document.insert("Ink", Layer("ink"))
    document.amend(document.root, _showing(layer.id, BLUE, seed=0))
    assert _pixels(document, layer.id) is BLUE
    document.undo()
    assert _pixels(document, layer.id) is RED


def test_only_the_state_with_the_same_question_takes_the_result() -> None:
    document = Document(Size(64, 64))
    layer = AiLayer("boat")
    document.insert("AI stroke", layer)
    asked = document.root
    _seeded(document, layer, 1)
    document.amend(asked, _showing(layer.id, RED, seed=0))
    assert _pixels(document, layer.id) is not RED
    document.amend(document.root, _showing(layer.id, BLUE, seed=1))
    document.undo()
    assert _pixels(document, layer.id) is RED


def test_amended_states_stay_the_states_that_the_next_amendment_finds() -> None:
    document = Document(Size(64, 64))
    layer = AiLayer("boat")
    document.insert("AI stroke", layer)
    document.amend(document.root, _showing(layer.id, RED, seed=0))
    assert document.history.done[-1].after.root is document.root
    document.amend(document.root, _showing(layer.id, BLUE, seed=0))
    document.undo()
    document.redo()
    assert _pixels(document, layer.id) is BLUE


def test_the_budget_counts_amended_pixels() -> None:
    document = Document(Size(64, 64))
    layer = AiLayer("boat")
    document.insert("AI stroke", layer)
    before = document.history.bytes
    document.amend(document.root, _showing(layer.id, RED, seed=0))
    assert document.history.bytes - before == RED.bytes


def test_what_was_undone_takes_the_result_too() -> None:
    document = Document(Size(64, 64))
    layer = AiLayer("boat")
    document.insert("AI stroke", layer)
    asked = document.root
    document.undo()
    document.amend(asked, _showing(layer.id, RED, seed=0))
    assert document.root.children == ()
    document.redo()
    assert _pixels(document, layer.id) is RED


def test_the_recorded_state_has_nothing_of_an_open_edit() -> None:
    document = Document(Size(64, 64))
    before = document.state
    with document.edit("Two layers"):
        document.insert("One", Layer("one"))
        assert document.recorded is before
        assert document.is_editing
    assert document.recorded is document.state
    assert not document.is_editing
