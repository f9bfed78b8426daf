"""One undoable change: the document's state before and after, sharing all that did not change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.geometry import Rect, Size
from core.paint.layers import Group, Layer, Node, extent, is_same_tree, planes, walk
from core.paint.selection import EMPTY_SELECTION, Selection
from core.paint.tiles import TILE, Tiles, tile_rect


@dataclass(frozen=True, eq=False)
class DocumentState:
    """Everything undo covers, as a value: size, layers, selection and the active layer."""

    size: Size
    root: Group
    selection: Selection = EMPTY_SELECTION
    active: str = ""


@dataclass(frozen=True, eq=False)
class Edit:
    """A change with a name; edits with the same non-empty ``merge`` key in a row become one."""

    label: str
    before: DocumentState
    after: DocumentState
    merge: str = ""

    @property
    def bytes(self) -> int:
        """Memory that only this edit holds on to, in both directions."""
        return sum(
            len(old.differs_from(new)) * TILE * TILE * old.channels
            for old, new in changed_planes(self.before, self.after)
        )

    @property
    def is_empty(self) -> bool:
        """Whether both states look alike and have the same selection."""
        before, after = self.before, self.after
        return (
            before.size == after.size
            and before.selection is after.selection
            and is_same_tree(before.root, after.root)
        )

    def join(self, later: "Edit") -> "Edit":
        """This edit and the one right after it as one, under this one's label."""
        return replace(later, before=self.before, label=self.label)


def changed_planes(before: DocumentState, after: DocumentState) -> Iterator[tuple[Tiles, Tiles]]:
    """Pairs of planes that are not the same object; a missing side is an empty plane."""
    old = {node.id: node for node in walk(before.root)}
    new = {node.id: node for node in walk(after.root)}
    for node_id in old.keys() | new.keys():
        old_planes = planes(old[node_id]) if node_id in old else {}
        new_planes = planes(new[node_id]) if node_id in new else {}
        for name in old_planes.keys() | new_planes.keys():
            first, second = old_planes.get(name), new_planes.get(name)
            if first is not second:
                yield first or _empty_like(second), second or _empty_like(first)


def _empty_like(like: Tiles | None) -> Tiles:
    return Tiles(like.channels, like.fill) if like is not None else Tiles()


def changed_rect(before: DocumentState, after: DocumentState) -> Rect:
    """The canvas rectangle that two states may show differently.

    It is the union of what changed layers cover, by tiles where nothing but pixels changed.
    """
    if before.size != after.size:
        return Rect.of(before.size) | Rect.of(after.size)
    if before.root is after.root:
        return Rect(0, 0, 0, 0)
    canvas = Rect.of(after.size)
    old = {node.id: (node, place) for place, node in enumerate(walk(before.root))}
    new = {node.id: (node, place) for place, node in enumerate(walk(after.root))}
    ids = old.keys() | new.keys()
    same_order = list(old) == list(new)
    parts = [_node_rect(old.get(i), new.get(i), same_order, canvas) for i in ids]
    return Rect.union(parts) & canvas


def _node_rect(
    old: tuple[Node, int] | None, new: tuple[Node, int] | None, same_order: bool, canvas: Rect
) -> Rect:
    if old is None or new is None:
        present = old or new
        return extent(present[0], canvas) if present else Rect(0, 0, 0, 0)
    (before, _), (after, _) = old, new
    if before is after and same_order:
        return Rect(0, 0, 0, 0)
    if same_order and _differs_in_pixels_only(before, after):
        return _changed_tiles_rect(before, after)
    if (
        isinstance(before, Group)
        and isinstance(after, Group)
        and _has_same_properties(before, after)
    ):
        return Rect(0, 0, 0, 0)
    return extent(before, canvas) | extent(after, canvas)


def _has_same_properties(before: Node, after: Node) -> bool:
    return (
        before.visible == after.visible
        and before.opacity == after.opacity
        and before.blend == after.blend
        and before.mask is after.mask
    )


def _differs_in_pixels_only(before: Node, after: Node) -> bool:
    return (
        isinstance(before, Layer)
        and isinstance(after, Layer)
        and _has_same_properties(before, after)
        and before.position == after.position
    )


def _changed_tiles_rect(before: Node, after: Node) -> Rect:
    if not (isinstance(before, Layer) and isinstance(after, Layer)):
        return Rect(0, 0, 0, 0)
    keys = before.tiles.differs_from(after.tiles)
    return Rect.union(tile_rect(key) for key in keys).translate(*after.position)
