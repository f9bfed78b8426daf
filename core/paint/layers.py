"""The layer tree as a value: frozen layers, masks and groups, and pure functions that change it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from core.geometry import Point, Rect
from core.paint.tiles import Tiles
from core.task import Recipe


def new_id() -> str:
    """An id that no other layer has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, eq=False)
class Mask:
    """Hides parts of a layer: 1-channel tiles, 255 shows, 0 hides; unpainted shows."""

    tiles: Tiles = field(default_factory=lambda: Tiles(channels=1, fill=255))
    visible: bool = True


@dataclass(frozen=True, eq=False)
class Node:
    """What layers and groups share. ``blend`` is the id of a blend mode; opacity is 0..1."""

    name: str
    id: str = field(default_factory=new_id)
    visible: bool = True
    opacity: float = 1.0
    blend: str = "normal"
    mask: Mask | None = None

    kind = "node"


@dataclass(frozen=True, eq=False)
class Layer(Node):
    """Painted pixels; ``position`` is where the plane's (0, 0) lies on the canvas."""

    tiles: Tiles = field(default_factory=Tiles)
    position: Point = Point(0, 0)
    lock_alpha: bool = False

    kind = "raster"


@dataclass(frozen=True, eq=False)
class AiLayer(Layer):
    """A diffusion edit: recipe, painted region (1 channel, 255 = edit) and cached pixels.

    ``tiles`` hold the result with the composite mask as alpha; ``rendered`` is the key of the
    input that made them (core.ai.layer.result_key), empty before the first result.
    A frozen layer (``baked``) keeps its recipe but is never stale.
    """

    recipe: Recipe = field(default_factory=lambda: Recipe("layered-brush"))
    region: Tiles = field(default_factory=lambda: Tiles(channels=1))
    rendered: str = ""
    baked: bool = False

    kind = "ai"


@dataclass(frozen=True, eq=False)
class Group(Node):
    """Layers that are blended together first; children from bottom to top."""

    children: tuple[Node, ...] = ()

    kind = "group"


N = TypeVar("N", bound=Node)


def walk(group: Group) -> Iterator[Node]:
    """Every node below group, bottom to top, a group before its children."""
    for child in group.children:
        yield child
        if isinstance(child, Group):
            yield from walk(child)


def find(group: Group, node_id: str) -> Node | None:
    """The node below group with that id, or None."""
    return next((node for node in walk(group) if node.id == node_id), None)


def parent_of(group: Group, node_id: str) -> Group | None:
    """The group that directly holds a node."""
    if any(child.id == node_id for child in group.children):
        return group
    inner = (parent_of(child, node_id) for child in group.children if isinstance(child, Group))
    return next((found for found in inner if found is not None), None)


def replace_node(group: Group, node: Node) -> Group:
    """The tree with the node of the same id exchanged; untouched branches are shared."""
    children = tuple(_replace_in_child(child, node) for child in group.children)
    unchanged = all(a is b for a, b in zip(children, group.children, strict=True))
    return group if unchanged else replace(group, children=children)


def _replace_in_child(child: Node, node: Node) -> Node:
    if child.id == node.id:
        return node
    return replace_node(child, node) if isinstance(child, Group) else child


def remove_node(group: Group, node_id: str) -> Group:
    """The tree without one node; untouched branches are shared."""
    children = tuple(
        remove_node(child, node_id) if isinstance(child, Group) else child
        for child in group.children
        if child.id != node_id
    )
    same = len(children) == len(group.children)
    if same and all(a is b for a, b in zip(children, group.children, strict=True)):
        return group
    return replace(group, children=children)


def insert_node(group: Group, parent_id: str, index: int, node: Node) -> Group:
    """The tree with node as child number index (from the bottom) of a group.

    Raises KeyError when there is no such group.
    """
    if group.id == parent_id:
        children = list(group.children)
        children.insert(index, node)
        return replace(group, children=tuple(children))
    for child in group.children:
        if isinstance(child, Group) and (child.id == parent_id or find(child, parent_id)):
            return replace_node(group, insert_node(child, parent_id, index, node))
    raise KeyError(parent_id)


def neighbour_of(group: Group, node_id: str) -> str:
    """The id of the node to make active when one goes: the next below, else above, else none."""
    gone = find(group, node_id)
    inside = {node_id, *(node.id for node in walk(gone))} if isinstance(gone, Group) else {node_id}
    order = [node.id for node in walk(group)]
    place = order.index(node_id) if node_id in order else 0
    rest = [name for name in order if name not in inside]
    below = (name for name in reversed(order[:place]) if name not in inside)
    return next(below, rest[0] if rest else "")


def is_same_tree(first: Node, second: Node) -> bool:
    """Whether two nodes hold the same: properties, order and tiles, though not the same objects."""
    if first is second:
        return True
    mine, theirs = _properties(first), _properties(second)
    if type(first) is not type(second) or mine != theirs or not _has_same_planes(first, second):
        return False
    if not (isinstance(first, Group) and isinstance(second, Group)):
        return True
    return len(first.children) == len(second.children) and all(
        is_same_tree(a, b) for a, b in zip(first.children, second.children, strict=True)
    )


def _properties(node: Node) -> dict[str, Any]:
    """What a node is apart from pixels and children, by field name."""
    kept = {
        name: value
        for name, value in vars(node).items()
        if name not in {"tiles", "region", "mask", "children"}
    }
    return {**kept, "mask_visible": node.mask.visible if node.mask else None}


def _has_same_planes(first: Node, second: Node) -> bool:
    mine, theirs = planes(first), planes(second)
    return mine.keys() == theirs.keys() and all(
        tiles is theirs[name]
        or (tiles.fill == theirs[name].fill and not tiles.differs_from(theirs[name]))
        for name, tiles in mine.items()
    )


def extent(node: Node, canvas: Rect) -> Rect:
    """Where a node can show anything, in canvas pixels."""
    if isinstance(node, Group):
        return Rect.union(extent(child, canvas) for child in node.children)
    if isinstance(node, Layer):
        return node.tiles.bounds.translate(*node.position) & canvas
    return canvas


def planes(node: Node) -> dict[str, Tiles]:
    """The pixel planes of a node by name: pixels, region, mask."""
    found: dict[str, Tiles] = {}
    if isinstance(node, Layer):
        found["pixels"] = node.tiles
    if isinstance(node, AiLayer):
        found["region"] = node.region
    if node.mask is not None:
        found["mask"] = node.mask.tiles
    return found


def with_plane(node: N, plane: str, tiles: Tiles) -> N:
    """The node with one of its planes exchanged. Raises KeyError when it has no such plane."""
    changes: dict[str, Any] = {"pixels": {"tiles": tiles}, "region": {"region": tiles}}.get(
        plane, {}
    )
    if plane == "mask" and node.mask is not None:
        changes = {"mask": replace(node.mask, tiles=tiles)}
    if not changes or plane not in planes(node):
        raise KeyError(f"{node.name} has no plane {plane!r}")
    return replace(node, **changes)
