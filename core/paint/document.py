"""The document: a size, a layer tree and a selection, changed only through undoable edits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import EditorError
from core.geometry import EMPTY, Rect, Size
from core.paint import layers
from core.paint.edits import DocumentState, Edit, changed_rect
from core.paint.history import History
from core.paint.layers import Group, Node
from core.paint.selection import Selection
from core.paint.stroke_writer import StrokeWriter
from core.signal import Signal

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIDE = 65_536
"""Pixels a side of a canvas."""


class Document:
    """A size, a layer tree, a selection, and the history of their edits.

    ``changed`` carries the canvas rectangle whose picture changed, ``restructured`` says that
    layers, their properties, the active layer or history moved, ``selected`` carries the new
    selection. ``revision`` grows with every change. ``extras`` is metadata that came with the
    file and goes back into it; ``note`` is a sentence about how it was opened, if one is due.
    """

    def __init__(self, size: Size, root: Group | None = None) -> None:
        """Raises EditorError when a side is 0 or more than MAX_SIDE pixels."""
        if not (0 < size.width <= MAX_SIDE and 0 < size.height <= MAX_SIDE):
            raise EditorError(
                f"A canvas must be 1 to {MAX_SIDE} pixels a side, not {size.width} x {size.height}."
            )
        self.state = DocumentState(size, root or Group("Root"))
        self.history = History()
        self.path: Path | None = None
        self.extras: dict[str, Any] = {}
        self.note = ""
        self.saved: DocumentState = self.state
        self.revision = 0
        self.changed: Signal[Rect] = Signal()
        self.restructured: Signal[None] = Signal()
        self.selected: Signal[Selection] = Signal()
        self._open: str | None = None
        self._chosen_plane = "", "pixels"
        self._recorded: DocumentState | None = None

    @property
    def size(self) -> Size:
        return self.state.size

    @property
    def bounds(self) -> Rect:
        return Rect.of(self.state.size)

    @property
    def root(self) -> Group:
        return self.state.root

    @property
    def selection(self) -> Selection:
        return self.state.selection

    @property
    def active(self) -> Node | None:
        """The layer that tools work on."""
        return layers.find(self.root, self.state.active)

    @property
    def active_plane(self) -> str:
        """The plane of the active node that is painted on: pixels, mask or region."""
        node, (node_id, plane) = self.active, self._chosen_plane
        if node is None or node.id != node_id or plane not in layers.planes(node):
            return "pixels"
        return plane

    def choose_plane(self, node_id: str, plane: str) -> None:
        """Make a node active, and a plane of it what is painted on; no undo entry."""
        self._chosen_plane = node_id, plane
        self.show(replace(self.state, active=node_id))

    @property
    def is_modified(self) -> bool:
        """Whether the picture differs from the saved one; what is active or selected is no part."""
        return self.state.size != self.saved.size or not layers.is_same_tree(
            self.state.root, self.saved.root
        )

    def find(self, node_id: str) -> Node:
        """Raises EditorError when the layer is gone."""
        node = layers.find(self.root, node_id)
        if node is None:
            raise EditorError("That layer is no longer in the document.")
        return node

    def activate(self, node_id: str) -> None:
        """Choose the layer that tools work on; not an undo entry of its own."""
        if node_id != self.state.active:
            self.show(replace(self.state, active=node_id))

    def apply(self, label: str, state: DocumentState, merge: str = "") -> None:
        """Go to a new state as one undo entry (or as a part of the open ``edit``)."""
        before = self.state
        self.show(state)
        if self._open is None:
            self._record(Edit(label, before, state, merge))

    def change(self, label: str, root: Group, merge: str = "") -> None:
        """Exchange the layer tree."""
        self.apply(label, replace(self.state, root=root), merge)

    def replace(self, label: str, node: Node, merge: str = "") -> None:
        """Exchange the layer or group with the same id."""
        self.change(label, layers.replace_node(self.root, node), merge)

    def insert(self, label: str, node: Node, parent_id: str = "", index: int | None = None) -> None:
        """Add a node and make it active; by default above the active layer."""
        parent, place = self._insertion_place(parent_id, index)
        root = layers.insert_node(self.root, parent.id, place, node)
        self.apply(label, replace(self.state, root=root, active=node.id))

    def _insertion_place(self, parent_id: str, index: int | None) -> tuple[Group, int]:
        parent = layers.find(self.root, parent_id) if parent_id else None
        if not isinstance(parent, Group):
            parent = layers.parent_of(self.root, self.state.active) or self.root
            parent = self.root if parent_id == self.root.id else parent
        ids = [child.id for child in parent.children]
        above = ids.index(self.state.active) + 1 if self.state.active in ids else len(ids)
        return parent, above if index is None else index

    def select(self, selection: Selection, label: str = "Select") -> None:
        """Exchange the selection, as one undo entry."""
        self.apply(label, replace(self.state, selection=selection))

    @contextmanager
    def edit(self, label: str) -> Iterator[None]:
        """Everything inside is one undo entry; an exception puts all of it back."""
        if self._open is not None:
            yield
            return
        before, self._open = self.state, label
        self._recorded = before
        try:
            yield
        except BaseException:
            self._open = self._recorded = None
            self.show(before)
            raise
        self._open = self._recorded = None
        if self.state is not before:
            self._record(Edit(label, before, self.state))

    @contextmanager
    def paint(self, node_id: str, label: str, plane: str = "pixels") -> Iterator[StrokeWriter]:
        """Open one plane of a layer for writing; closing is one undo entry, an exception none."""
        with self.edit(label):
            before = self.state
            writer = StrokeWriter(self, self.find(node_id), plane)
            try:
                yield writer
            except BaseException:
                self.state = before
                self.emit_changed(writer.dirty)
                raise
            if writer.dirty:
                writer.close()
            else:
                self.state = before

    @property
    def is_editing(self) -> bool:
        """Whether an ``edit`` or ``paint`` is open, as during a gesture."""
        return self._open is not None

    @property
    def recorded(self) -> DocumentState:
        """The state without what an open edit has done so far."""
        return self._recorded or self.state

    def amend(self, since: Group, change: Callable[[Group], Group]) -> None:
        """Put computed pixels into the tree here and in what history remembers; no undo entry.

        ``since`` is the root they were computed from: states before it are left alone, so undo
        leads back to exactly the picture before. ``change`` returns the very same tree where the
        pixels do not belong. Not while an edit is open.
        """
        made: dict[Group, Group] = {}

        def once(tree: Group) -> Group:
            return made.get(tree) or made.setdefault(tree, change(tree))

        self.history.amend(since, once)
        root = once(self.state.root)
        if root is not self.state.root:
            self.show(replace(self.state, root=root))

    def forget(self, node_id: str) -> None:
        """Take a node out of the tree and of all that history remembers, as if never made.

        Not while an edit is open.
        """
        made: dict[int, tuple[DocumentState, DocumentState]] = {}
        roots: dict[int, tuple[Group, Group]] = {}

        def without(state: DocumentState) -> DocumentState:
            if id(state) not in made:
                bare = layers.remove_node(state.root, node_id)
                root = roots.setdefault(id(state.root), (state.root, bare))[1]
                if root is state.root:
                    made[id(state)] = state, state
                else:
                    is_gone = layers.find(root, state.active) is None
                    near = layers.neighbour_of(state.root, node_id)
                    active = near if is_gone else state.active
                    made[id(state)] = state, replace(state, root=root, active=active)
            return made[id(state)][1]

        self.history.rewrite(without)
        self.show(without(self.state))

    def emit_changed(self, rect: Rect) -> None:
        """Say that pixels of the canvas changed in place, inside an open ``paint``."""
        self.revision += 1
        self.changed.emit(rect & self.bounds)

    def undo(self) -> str | None:
        """Take back one edit; its label, or None when there was nothing."""
        edit = None if self._open is not None else self.history.undo()
        if edit is not None:
            self.show(edit.before)
        return edit.label if edit else None

    def redo(self) -> str | None:
        """Make the last edit taken back again; its label, or None when there was nothing."""
        edit = None if self._open is not None else self.history.redo()
        if edit is not None:
            self.show(edit.after)
        return edit.label if edit else None

    def show(self, state: DocumentState) -> None:
        """Go to a state without recording it: undo, recovery and previews."""
        before, self.state = self.state, state
        self.revision += 1
        rect = changed_rect(before, state)
        if rect != EMPTY:
            self.changed.emit(rect)
        if before.selection is not state.selection:
            self.selected.emit(state.selection)
        self.restructured.emit(None)

    def _record(self, edit: Edit) -> None:
        self.history.push(edit)
        self.restructured.emit(None)


def scratch_document(state: DocumentState) -> Document:
    """Make a document of a state that nothing else uses: to flatten, render or save a copy."""
    document = Document(state.size, state.root)
    document.state = state
    return document
