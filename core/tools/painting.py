"""What the painting tools share: what a stroke changes, and a stroke of stamps."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from core.errors import EditorError
from core.paint import layers
from core.paint.layers import AiLayer, Group, Layer, Mask, Node
from core.paint.pointer import Colour, GestureContext, PointerEvent, PointerKind
from core.paint.stroke_writer import StrokeWriter

Gesture = Generator[None, PointerEvent, None]


class PaintTarget(NamedTuple):
    """A node and the name of the plane of it that a stroke changes."""

    node: Node
    plane: str


@contextmanager
def open_stroke(context: GestureContext, label: str, erase: bool = False) -> Iterator[StrokeWriter]:
    """Open what the chosen tool paints on, as one undo entry.

    That is the chosen plane of the active node. Ink on the result of an AI layer goes to a new
    layer above it, the eraser there into its mask. Raises EditorError when nothing can be painted.
    """
    document = context.document
    with document.edit(label):
        before = document.state
        target = find_target(context, erase)
        with document.paint(target.node.id, label, target.plane) as writer:
            yield writer
        if not writer.dirty and document.state is not before:
            document.show(before)
    if target.plane == "region" and writer.dirty:
        context.stroked(target.node.id)


def find_target(context: GestureContext, erase: bool = False) -> PaintTarget:
    """What a stroke changes; makes the layer or mask that it needs, inside the open edit.

    Raises EditorError with the reason when there is nothing to paint on.
    """
    document, node = context.document, context.document.active
    if node is None:
        raise EditorError("There is no layer to paint on: add one with Ctrl+Shift+N.")
    plane = document.active_plane
    reason = _why_not_paintable(node, plane)
    if reason:
        raise EditorError(f"{node.name} cannot be painted on: {reason}.")
    if plane != "pixels" or not isinstance(node, AiLayer):
        return PaintTarget(node, plane)
    if erase:
        return PaintTarget(_with_mask(context, node), "mask")
    layer = Layer(f"Layer {sum(1 for _ in layers.walk(document.root)) + 1}")
    document.insert("Layer for ink", layer)
    context.told("Ink on an AI layer goes to a new layer above it.")
    return PaintTarget(layer, "pixels")


def _with_mask(context: GestureContext, node: AiLayer) -> AiLayer:
    """The layer with a mask that shows, made if need be."""
    if node.mask is None:
        node = replace(node, mask=Mask())
        context.document.replace("Add mask", node)
        context.told("The eraser hides parts of an AI layer through its mask.")
    elif not node.mask.visible:
        raise EditorError(f"{node.name} cannot be erased: its mask is off, switch it on first.")
    return node


def _why_not_paintable(node: Node, plane: str) -> str:
    if not node.visible:
        return "it is hidden, show it first"
    if plane == "mask" and node.mask is not None and not node.mask.visible:
        return "its mask is off, switch it on first"
    if plane == "region" and isinstance(node, AiLayer) and node.baked:
        return "it is frozen, thaw it first"
    if plane == "pixels" and isinstance(node, Group):
        return "it is a group, choose a layer inside it, or its mask"
    return ""


def mask_value(colour: Colour) -> int:
    """What a colour means in a mask, 0..255: white shows, black hides. colour: straight RGBA."""
    red, green, blue, alpha = colour
    return round((0.2126 * red + 0.7152 * green + 0.0722 * blue) * alpha / 255)


def paint_stroke(
    context: GestureContext,
    writer: StrokeWriter,
    event: PointerEvent,
    colour: Colour,
    opacity: float = 1.0,
    erase: bool = False,
) -> Gesture:
    """Stamps along the pointer's path until it is released; on a mask, in the colour's grey."""
    if writer.is_mask:
        colour = (0, 0, 0, mask_value(colour))
    while True:
        for sample in context.path.samples(event, context.brush.spacing):
            stamp = context.brush.stamp(sample)
            writer.blend(stamp.alpha, stamp.x, stamp.y, colour, opacity, erase, stamp.flow)
        if event.kind is PointerKind.release:
            return
        event = yield
