"""Undo and redo under a memory budget."""

from dataclasses import replace

import numpy as np

from core.geometry import Rect, Size
from core.paint.edits import DocumentState, Edit, changed_rect
from core.paint.history import History
from core.paint.layers import Group, Layer
from core.paint.tiles import Tiles

SIZE = Size(256, 256)
TILE_BYTES = 256 * 256 * 4


def chain(count: int, merge: str = "") -> list[Edit]:
    """Edits that each exchange one tile."""
    layer = Layer("ink")
    states = [DocumentState(SIZE, Group("Root", children=(layer,)))]
    for value in range(1, count + 1):
        tiles = Tiles.of(np.full((256, 256, 4), value, np.uint8))
        layer = replace(layer, tiles=tiles)
        states.append(DocumentState(SIZE, Group("Root", children=(layer,))))
    pairs = zip(states, states[1:], strict=False)
    return [Edit(f"{n}", before, after, merge) for n, (before, after) in enumerate(pairs)]


def test_back_and_forth() -> None:
    history = History()
    first, second = chain(2)
    history.push(first)
    history.push(second)
    assert history.undo() is second
    assert history.undo() is first
    assert history.undo() is None
    assert history.redo() is first
    assert history.redo() is second
    assert history.redo() is None


def test_a_new_edit_forgets_what_was_undone() -> None:
    history = History()
    edits = chain(3)
    for edit in edits[:2]:
        history.push(edit)
    history.undo()
    history.push(edits[2])
    assert history.redo() is None
    assert [edit.label for edit in history.done] == ["0", "2"]
    assert history.bytes == sum(edit.bytes for edit in history.done)


def test_the_oldest_goes_first_when_memory_is_short() -> None:
    history = History(budget=5 * TILE_BYTES)
    edits = chain(10)
    for edit in edits:
        history.push(edit)
        assert history.bytes <= history.budget
    assert [edit.label for edit in history.done] == ["5", "6", "7", "8", "9"]


def test_the_last_edit_stays_even_when_it_alone_is_too_large() -> None:
    history = History(budget=10)
    for edit in chain(3):
        history.push(edit)
    assert [edit.label for edit in history.done] == ["2"]


def test_edits_of_one_drag_become_one_until_sealed() -> None:
    history = History()
    edits = chain(4, merge="opacity")
    for edit in edits[:3]:
        history.push(edit)
    assert len(history.done) == 1
    assert history.done[0].before is edits[0].before
    assert history.done[0].after is edits[2].after
    history.seal()
    history.push(edits[3])
    assert len(history.done) == 2


def test_an_edit_knows_its_bytes_and_its_place() -> None:
    (edit,) = chain(1)
    assert edit.bytes == TILE_BYTES
    assert changed_rect(edit.before, edit.after) == Rect(0, 0, 256, 256)
