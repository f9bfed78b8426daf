"""The edits of the menus: layers, selections and the clipboard; each is one undo entry."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from core.errors import EditorError
from core.geometry import Point, Rect, Size
from core.paint import layers
from core.paint.blend_modes import scale_alpha
from core.paint.document import Document
from core.paint.flatten import draw, flatten
from core.paint.layers import Group, Layer, Mask, Node, new_id
from core.paint.selection import EMPTY_SELECTION, Selection
from core.paint.tiles import Pixels, Tiles


def _active_node(document: Document) -> Node:
    """The active layer or group. Raises EditorError when there is none."""
    if document.active is None:
        raise EditorError("Choose a layer in the Layers dock first.")
    return document.active


def _active_layer(document: Document) -> Layer:
    """The active layer. Raises EditorError when a group or nothing is active."""
    node = _active_node(document)
    if not isinstance(node, Layer):
        raise EditorError(f"{node.name} is a group: choose a layer inside it.")
    return node


def add_layer(document: Document) -> None:
    """Add an empty layer above the active one."""
    count = sum(1 for _ in layers.walk(document.root)) + 1
    document.insert("New layer", Layer(f"Layer {count}"))


def add_group(document: Document) -> None:
    """Put the active layer into a new group, or add an empty group."""
    node = document.active
    if node is None:
        document.insert("New group", Group("Group"))
        return
    group = Group("Group", children=(node,))
    parent = layers.parent_of(document.root, node.id) or document.root
    place = [child.id for child in parent.children].index(node.id)
    root = layers.remove_node(document.root, node.id)
    root = layers.insert_node(root, parent.id, place, group)
    document.apply("Group", replace(document.state, root=root, active=node.id))


def duplicate(document: Document) -> None:
    """Add a copy of the active layer. Raises EditorError when no layer is active."""
    node = _active_node(document)
    document.insert("Duplicate", replace(with_new_ids(node), name=f"{node.name} copy"))


def with_new_ids(node: Node) -> Node:
    """The same layers under new ids."""
    if isinstance(node, Group):
        node = replace(node, children=tuple(with_new_ids(child) for child in node.children))
    return replace(node, id=new_id())


def delete(document: Document) -> None:
    """Delete the active layer. Raises EditorError when no layer is active."""
    node = _active_node(document)
    following = layers.neighbour_of(document.root, node.id)
    root = layers.remove_node(document.root, node.id)
    document.apply("Delete layer", replace(document.state, root=root, active=following))


def merge_down(document: Document) -> None:
    """Merge the active layer with the one below it into one raster layer of the same appearance.

    Raises EditorError when no layer is active or none is below it.
    """
    node = _active_node(document)
    parent = layers.parent_of(document.root, node.id) or document.root
    place = [child.id for child in parent.children].index(node.id)
    if place == 0:
        raise EditorError(f"There is no layer below {node.name} to merge with.")
    below = parent.children[place - 1]
    merged = replace(_render_nodes((below, node), document), name=below.name, id=below.id)
    root = layers.remove_node(document.root, node.id)
    root = layers.replace_node(root, merged)
    document.apply("Merge down", replace(document.state, root=root, active=merged.id))


def flatten_all(document: Document) -> None:
    """Merge all layers into one raster layer."""
    merged = replace(_render_nodes(document.root.children, document), name="Picture")
    root = replace(document.root, children=(merged,))
    document.apply("Flatten", replace(document.state, root=root, active=merged.id))


def _render_nodes(nodes: Iterable[Node], document: Document) -> Layer:
    rect = Rect.union(layers.extent(node, document.bounds) for node in nodes) & document.bounds
    pixels = flatten(Group("", children=tuple(nodes)), rect)
    return Layer("", tiles=Tiles.of(pixels, rect.x, rect.y) if rect else Tiles())


def add_mask(document: Document) -> None:
    """Add a mask to the active layer that shows what is selected, or everything.

    Raises EditorError when no layer is active or it has a mask.
    """
    node = _active_node(document)
    if node.mask is not None:
        raise EditorError(f"{node.name} already has a mask.")
    tiles = Tiles(channels=1, fill=255)
    if document.selection:
        offset = node.position if isinstance(node, Layer) else Point(0, 0)
        alpha = document.selection.read(document.bounds)[..., None]
        tiles = Tiles.of(alpha, -offset.x, -offset.y, fill=255)
    document.replace("Add mask", replace(node, mask=Mask(tiles)))
    document.choose_plane(node.id, "mask")


def _active_mask(document: Document) -> tuple[Node, Mask]:
    """The active layer and its mask. Raises EditorError when there is none."""
    node = _active_node(document)
    if node.mask is None:
        raise EditorError(f"{node.name} has no mask.")
    return node, node.mask


def invert_mask(document: Document) -> None:
    """Show what the active layer's mask hides, and hide what it shows.

    Raises EditorError when no layer is active or it has no mask.
    """
    node, mask = _active_mask(document)
    inverted = replace(mask, tiles=mask.tiles.invert())
    document.replace("Invert mask", replace(node, mask=inverted))


def toggle_mask(document: Document) -> str:
    """Switch the active layer's mask off or on again; returns the edit's name.

    Raises EditorError when no layer is active or it has no mask.
    """
    node, mask = _active_mask(document)
    label = "Switch mask off" if mask.visible else "Switch mask on"
    document.replace(label, replace(node, mask=replace(mask, visible=not mask.visible)))
    return label


def switch_plane(document: Document) -> None:
    """Paint on the mask of the active layer, or on its pixels again; a mask is made if need be.

    Raises EditorError when no layer is active.
    """
    node = _active_node(document)
    if document.active_plane != "pixels":
        document.choose_plane(node.id, "pixels")
    elif node.mask is None:
        add_mask(document)
    else:
        document.choose_plane(node.id, "mask")


def remove_mask(document: Document) -> None:
    """Remove the active layer's mask.

    Raises EditorError when no layer is active or it has no mask.
    """
    node, _ = _active_mask(document)
    document.replace("Remove mask", replace(node, mask=None))


def toggle_lock(document: Document) -> str:
    """Lock or unlock the active layer's transparency; returns the edit's name.

    Raises EditorError when no layer is active.
    """
    layer = document.active
    if not isinstance(layer, Layer):
        raise EditorError("Choose a layer whose transparency should be locked.")
    changed = replace(layer, lock_alpha=not layer.lock_alpha)
    label = "Lock transparency" if changed.lock_alpha else "Unlock transparency"
    document.replace(label, changed)
    return label


def fill(document: Document, colour: tuple[int, int, int, int]) -> None:
    """Fill the selection, or the whole active layer, with a straight RGBA colour, 0..255.

    Raises EditorError when no raster layer is active.
    """
    layer = _active_layer(document)
    area = document.selection.bounds or document.bounds
    with document.paint(layer.id, "Fill") as painting:
        for rect in _split_bands(area):
            painting.blend(
                np.full((rect.height, rect.width), 255, np.uint8), rect.x, rect.y, colour
            )


def clear(document: Document) -> None:
    """Erase the selection, or the whole active layer.

    Raises EditorError when no raster layer is active.
    """
    layer = _active_layer(document)
    area = document.selection.bounds or document.bounds
    with document.paint(layer.id, "Clear") as painting:
        for rect in _split_bands(area & layers.extent(layer, document.bounds)):
            alpha = np.full((rect.height, rect.width), 255, np.uint8)
            painting.blend(alpha, rect.x, rect.y, erase=True)


def _split_bands(rect: Rect, tall: int = 512) -> list[Rect]:
    return [
        Rect(rect.x, y, rect.width, min(tall, rect.bottom - y))
        for y in range(rect.y, rect.bottom, tall)
    ]


def copy_pixels(document: Document) -> tuple[Pixels, Rect]:
    """The active layer's pixels inside the selection, and their rectangle.

    Returns height x width x 4 uint8, premultiplied RGBA, 0..255. Raises EditorError when no layer
    is active or nothing of it is selected.
    """
    node = _active_node(document)
    area = (document.selection.bounds or document.bounds) & document.bounds
    area = area & layers.extent(node, document.bounds)
    if not area:
        raise EditorError(f"There is nothing to copy on {node.name} there.")
    pixels = np.zeros((area.height, area.width, 4), np.uint8)
    draw(replace(node, visible=True, opacity=1.0, blend="normal"), area, pixels)
    if document.selection:
        pixels = scale_alpha(pixels, document.selection.read(area))
    return pixels, area


def paste(document: Document, pixels: Pixels, corner: Point | None = None) -> None:
    """Add a layer with pixels, in the middle unless a corner is given.

    pixels: height x width x 4 uint8, premultiplied RGBA, 0..255.
    """
    height, width = pixels.shape[:2]
    middle = Point((document.size.width - width) // 2, (document.size.height - height) // 2)
    layer = Layer("Pasted", tiles=Tiles.of(pixels), position=corner or middle)
    document.insert("Paste", layer)


def select_all(document: Document) -> None:
    document.select(Selection(document.bounds), "Select all")


def select_none(document: Document) -> None:
    document.select(EMPTY_SELECTION, "Deselect")


def select_inverse(document: Document) -> None:
    document.select(document.selection.invert(document.size), "Invert selection")


def feather(document: Document, radius: float) -> None:
    document.select(document.selection.feather(radius, document.size), "Feather selection")


def grow(document: Document, by: int) -> None:
    label = "Grow selection" if by > 0 else "Shrink selection"
    document.select(document.selection.grow(by, document.size), label)


def crop_to_selection(document: Document) -> None:
    """Crop the canvas to the selection. Raises EditorError when nothing is selected."""
    area = document.selection.bounds & document.bounds
    if not area:
        raise EditorError("Select the part to keep first.")
    root = _shift_layers(document.root, -area.x, -area.y)
    state = replace(document.state, size=area.size, root=root, selection=EMPTY_SELECTION)
    document.apply("Crop", state)


def _shift_layers(group: Group, dx: int, dy: int) -> Group:
    moved: list[Node] = []
    for child in group.children:
        if isinstance(child, Group):
            moved.append(_shift_layers(child, dx, dy))
        elif isinstance(child, Layer):
            moved.append(replace(child, position=child.position.translate(dx, dy)))
    return replace(group, children=tuple(moved))


def new_document(size: Size, background: tuple[int, int, int, int] | None) -> Document:
    """A canvas with a background layer (transparent when None) and an empty layer to paint on."""
    tiles = Tiles() if background is None else Tiles.flat(Rect.of(size), background)
    ground = Layer("Background", tiles=tiles)
    ink = Layer("Layer 1")
    document = Document(size, Group("Root", children=(ground, ink)))
    document.activate(ink.id)
    document.saved = document.state
    return document
