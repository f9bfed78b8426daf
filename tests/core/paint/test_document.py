"""Documents: every change is an edit, a gesture is one entry, a failure leaves no trace."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import EditorError
from core.geometry import Rect, Size
from core.paint.document import Document, scratch_document
from core.paint.flatten import flatten
from core.paint.layers import Group, Layer, walk
from core.paint.selection import Selection
from core.paint.tiles import Pixels

DOT = np.full((20, 20), 255, np.uint8)
RED = (255, 0, 0, 255)


@pytest.fixture
def document() -> Document:
    made = Document(Size(600, 400))
    made.insert("New layer", Layer("ink"))
    return made


def picture(document: Document) -> Pixels:
    return flatten(document.root, document.bounds)


def stroke(document: Document, x: int = 10) -> None:
    with document.paint(document.state.active, "Stroke") as painting:
        for step in range(5):
            painting.blend(DOT, x + step * 5, 30, RED)


@pytest.mark.parametrize("size", [Size(0, 5), Size(5, 0), Size(70_000, 5), Size(-1, 1)])
def test_impossible_sizes_are_refused(size: Size) -> None:
    with pytest.raises(EditorError, match="A canvas must be 1 to 65536 pixels a side"):
        Document(size)


def test_a_stroke_is_one_entry_and_goes_back_and_forth_to_the_bit(document: Document) -> None:
    before = picture(document)
    stroke(document)
    after = picture(document)
    assert len(document.history.done) == 2
    assert document.undo() == "Stroke"
    assert np.array_equal(picture(document), before)
    assert document.redo() == "Stroke"
    assert np.array_equal(picture(document), after)


def test_a_scratch_document_leaves_the_original_alone(
    document: Document,
) -> None:
    stroke(document)
    document.select(Selection(Rect(0, 0, 50, 50)))
    before, state = picture(document), document.state
    scratch = scratch_document(state)
    assert scratch.state is state
    assert np.array_equal(picture(scratch), before)
    stroke(scratch, 0)
    assert document.state is state
    assert np.array_equal(picture(document), before)
    assert not np.array_equal(picture(scratch), before)


def test_undoing_everything_and_redoing_it(document: Document) -> None:
    stroke(document)
    document.select(Selection(Rect(0, 0, 50, 50)))
    document.replace("Hide", replace(document.find(document.state.active), visible=False))
    document.insert("Group", Group("g", children=(Layer("inner"),)))
    end, labels = picture(document), [edit.label for edit in document.history.done]
    while document.undo():
        pass
    assert not document.root.children
    assert not document.selection
    while document.redo():
        pass
    assert np.array_equal(picture(document), end)
    assert [edit.label for edit in document.history.done] == labels
    assert document.selection.bounds == Rect(0, 0, 50, 50)


def _stopped_stroke(document: Document) -> None:
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 0, 0, RED)
        raise KeyError


def _stopped_edit(document: Document) -> None:
    with document.edit("Both"):
        document.insert("New layer", Layer("second"))
        raise KeyError


def test_an_exception_in_a_stroke_puts_the_pixels_back(document: Document) -> None:
    stroke(document)
    before, state = picture(document), document.state
    with pytest.raises(KeyError):
        _stopped_stroke(document)
    assert np.array_equal(picture(document), before)
    assert document.state.root is state.root
    assert len(document.history.done) == 2


def test_a_stroke_off_the_canvas_is_no_entry(document: Document) -> None:
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, -500, -500, RED)
        painting.blend(DOT, 5000, 5000, RED)
    assert len(document.history.done) == 1


def test_everything_inside_an_edit_is_one_entry(document: Document) -> None:
    with document.edit("Both"):
        document.insert("New layer", Layer("second"))
        stroke(document)
    assert [edit.label for edit in document.history.done] == ["New layer", "Both"]
    document.undo()
    assert [node.name for node in walk(document.root)] == ["ink"]


def test_an_exception_inside_an_edit_undoes_all_of_it(document: Document) -> None:
    with pytest.raises(KeyError):
        _stopped_edit(document)
    assert [node.name for node in walk(document.root)] == ["ink"]
    assert not document.is_editing


def test_undo_waits_while_something_is_open(document: Document) -> None:
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 0, 0, RED)
        assert document.undo() is None
    assert document.undo() == "Stroke"


def test_changed_carries_the_rectangle(document: Document) -> None:
    received: list[Rect] = []
    document.changed.connect(received.append)
    stroke(document)
    assert (Rect.union(received) & Rect(10, 30, 40, 20)) == Rect(10, 30, 40, 20)
    assert Rect.union(received[:-1] if len(received) > 5 else received).area < 256 * 256
    received.clear()
    document.undo()
    assert received == [Rect(0, 0, 256, 256)]


def test_what_is_active_or_selected_is_no_unsaved_work(document: Document) -> None:
    document.saved = document.state
    document.select(Selection(Rect(0, 0, 5, 5)))
    document.activate("")
    assert not document.is_modified
    document.undo()
    stroke_layer = document.root.children[0].id
    document.activate(stroke_layer)
    stroke(document)
    assert document.is_modified
    document.undo()
    assert not document.is_modified


def test_a_new_layer_goes_above_the_active_one(document: Document) -> None:
    document.insert("New layer", Layer("top"))
    document.activate(document.root.children[0].id)
    document.insert("New layer", Layer("middle"))
    assert [node.name for node in document.root.children] == ["ink", "middle", "top"]
    active = document.active
    assert active is not None
    assert active.name == "middle"


def test_a_layer_that_is_gone_is_an_error(document: Document) -> None:
    with pytest.raises(EditorError, match="no longer in the document"):
        document.find("gone")


def test_revision_grows_with_every_change(document: Document) -> None:
    revisions = [document.revision]
    stroke(document)
    revisions.append(document.revision)
    document.undo()
    revisions.append(document.revision)
    assert revisions == sorted(set(revisions))


def test_what_is_as_saved_is_not_modified_even_when_made_anew() -> None:
    document = Document(Size(64, 64), Group("Root", children=(Layer("one"), Group("two"))))
    document.saved = document.state
    first = document.root.children[0]
    document.replace("Hide", replace(first, visible=False))
    assert document.is_modified
    document.replace("Show", replace(first, visible=True))
    assert document.root is not document.saved.root
    assert not document.is_modified
    document.change("Order", replace(document.root, children=document.root.children[::-1]))
    assert document.is_modified


def test_a_forgotten_layer_was_never_there_and_the_rest_of_history_holds() -> None:
    document = Document(Size(64, 64), Group("Root", children=(Layer("one"),)))
    document.saved = document.state
    document.insert("Gone", Layer("gone"))
    gone = document.state.active
    with document.paint(gone, "Stroke on it") as painting:
        painting.write(Rect(1, 1, 2, 2), np.full((2, 2, 4), 255, np.uint8))
    document.insert("Stays", Layer("stays"))
    document.insert("Undone", Layer("undone"))
    document.undo()
    document.forget(gone)
    assert [edit.label for edit in document.history.done] == ["Stays"]
    assert [node.name for node in document.root.children] == ["one", "stays"]
    document.redo()
    assert [node.name for node in document.root.children] == ["one", "stays", "undone"]
    for _ in range(2):
        document.undo()
    assert not document.is_modified
    assert document.history.bytes == sum(edit.bytes for edit in document.history.undone)
