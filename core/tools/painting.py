"""What the painting tools share: which layer may be painted on, and a stroke of stamps."""

from collections.abc import Generator

from core.errors import EditorError
from core.paint.layers import AiLayer, Group, Layer, Node
from core.paint.pointer import Colour, GestureContext, PointerEvent, PointerKind
from core.paint.stroke_writer import StrokeWriter

Gesture = Generator[None, PointerEvent, None]


def find_paintable_layer(context: GestureContext) -> Layer:
    """The layer to paint on. Raises EditorError with the reason when there is none."""
    node = context.document.active
    if node is None:
        raise EditorError("There is no layer to paint on: add one with Ctrl+Shift+N.")
    reason = _why_not_paintable(node)
    if reason or not isinstance(node, Layer):
        raise EditorError(f"{node.name} cannot be painted on: {reason}.")
    return node


def _why_not_paintable(node: Node) -> str:
    if isinstance(node, Group):
        return "it is a group, choose a layer inside it"
    if isinstance(node, AiLayer):
        return "it is a diffusion layer, choose the AI brush or another layer"
    return "" if node.visible else "it is hidden, show it first"


def paint_stroke(
    context: GestureContext,
    writer: StrokeWriter,
    event: PointerEvent,
    colour: Colour,
    opacity: float = 1.0,
    erase: bool = False,
) -> Gesture:
    """Stamps along the pointer's path until it is released."""
    while True:
        for sample in context.path.samples(event, context.brush.spacing):
            stamp = context.brush.stamp(sample)
            writer.blend(stamp.alpha, stamp.x, stamp.y, colour, opacity, erase, stamp.flow)
        if event.kind is PointerKind.release:
            return
        event = yield
