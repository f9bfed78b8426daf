"""The edits of the menus: each is one undo entry with the right picture."""

import numpy as np
import pytest

from core.errors import EditorError
from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import Group, Layer, walk
from core.paint.selection import Selection
from core.paint.tiles import Pixels
from editor.commands import document_edits

RED = (255, 0, 0, 255)
DOT = np.full((30, 30), 180, np.uint8)


@pytest.fixture
def document() -> Document:
    made = document_edits.new_document(Size(320, 240), (255, 255, 255, 255))
    with made.paint(made.state.active, "Stroke") as painting:
        painting.blend(DOT, 20, 20, RED)
    return made


def flatten_document(document: Document) -> Pixels:
    return flatten(document.root, document.bounds)


EDITS = [
    document_edits.add_layer,
    document_edits.add_group,
    document_edits.duplicate,
    document_edits.delete,
    document_edits.merge_down,
    document_edits.flatten_all,
    document_edits.add_mask,
    document_edits.clear,
    document_edits.select_all,
    document_edits.select_inverse,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_is_one_entry_and_can_be_undone(document: Document, edit: object) -> None:
    before, count = flatten_document(document), len(document.history.done)
    assert callable(edit)
    edit(document)
    assert len(document.history.done) == count + 1
    document.undo()
    assert np.array_equal(flatten_document(document), before)


@pytest.mark.parametrize(
    "edit",
    [
        document_edits.merge_down,
        document_edits.flatten_all,
        document_edits.add_group,
        document_edits.add_mask,
        document_edits.add_layer,
    ],
)
def test_structural_edits_change_no_pixel(document: Document, edit: object) -> None:
    before = flatten_document(document)
    assert callable(edit)
    edit(document)
    assert np.abs(flatten_document(document).astype(int) - before).max() <= 1


def test_delete_goes_to_the_layer_below(document: Document) -> None:
    document_edits.delete(document)
    assert document.active is not None
    assert document.active.name == "Background"
    document_edits.delete(document)
    assert document.active is None
    with pytest.raises(EditorError, match="Choose a layer"):
        document_edits.delete(document)


def test_grouping_keeps_the_place(document: Document) -> None:
    document_edits.add_group(document)
    assert [node.name for node in walk(document.root)] == ["Background", "Group", "Layer 1"]


def test_a_duplicate_has_ids_of_its_own(document: Document) -> None:
    document_edits.add_group(document)
    document.activate(document.root.children[1].id)
    document_edits.duplicate(document)
    ids = [node.id for node in walk(document.root)]
    assert len(ids) == len(set(ids)) == 5


def test_fill_and_clear_keep_to_the_selection(document: Document) -> None:
    document.select(Selection(Rect(100, 100, 50, 40)))
    document_edits.fill(document, (0, 0, 255, 255))
    changed = flatten_document(document)
    assert changed[120, 120].tolist() == [0, 0, 255, 255]
    assert changed[99, 120].tolist() == [255, 255, 255, 255]
    document_edits.clear(document)
    assert flatten_document(document)[120, 120].tolist() == [255, 255, 255, 255]


def test_a_mask_from_the_selection_shows_only_it(document: Document) -> None:
    document.select(Selection(Rect(0, 0, 30, 240)))
    document_edits.add_mask(document)
    shown = flatten_document(document)
    assert shown[25, 25, 1] < 255
    assert shown[25, 40].tolist() == [255, 255, 255, 255]
    with pytest.raises(EditorError, match="already has a mask"):
        document_edits.add_mask(document)
    document_edits.remove_mask(document)
    assert flatten_document(document)[25, 40, 1] < 255


def test_copy_takes_the_selection_and_paste_puts_it_down(document: Document) -> None:
    document.select(Selection(Rect(20, 20, 10, 10)))
    pixels, area = document_edits.copy_pixels(document)
    assert area == Rect(20, 20, 10, 10)
    assert pixels[5, 5].tolist() == [180, 0, 0, 180]
    document_edits.paste(document, pixels, Point(200, 100))
    assert flatten_document(document)[105, 205, 1] < 255


def test_cropping_moves_everything(document: Document) -> None:
    before = flatten_document(document)[10:110, 15:215]
    document.select(Selection(Rect(15, 10, 200, 100)))
    document_edits.crop_to_selection(document)
    assert document.size == (200, 100)
    assert np.array_equal(flatten_document(document), before)
    document.undo()
    assert document.size == (320, 240)


def test_what_cannot_be_done_raises_an_error(document: Document) -> None:
    with pytest.raises(EditorError, match="Select the part to keep"):
        document_edits.crop_to_selection(document)
    document.activate(document.root.children[0].id)
    with pytest.raises(EditorError, match="no layer below"):
        document_edits.merge_down(document)
    document.insert("Group", Group("g"))
    with pytest.raises(EditorError, match="is a group"):
        document_edits.fill(document, RED)


def test_a_transparent_canvas_is_empty() -> None:
    document = document_edits.new_document(Size(50, 40), None)
    assert not flatten_document(document).any()
    assert not document.is_modified
    assert isinstance(document.active, Layer)
