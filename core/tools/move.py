"""The move tool: shifts the active layer."""

from dataclasses import dataclass, replace
from typing import ClassVar

from core.catalog import tools
from core.errors import EditorError
from core.geometry import Point
from core.paint import layers
from core.paint.layers import Group, Layer, Node
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.tools.painting import Gesture


@tools.register
class MoveTool:
    """Drag the active layer or group; Shift keeps to one direction."""

    id: ClassVar[str] = "move"
    label: ClassVar[str] = "Move layer"
    icon: ClassVar[str] = "move"
    shortcut: ClassVar[str] = "V"
    position: ClassVar[int] = 60
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        pass

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        """Raises EditorError when no layer is active."""
        document, start = context.document, event
        node = document.active
        if node is None:
            raise EditorError("Choose the layer to move in the Layers dock.")
        with document.edit("Move layer"):
            while True:
                by = _distance(start, event)
                root = layers.replace_node(document.root, translate_node(node, by))
                document.show(replace(document.state, root=root))
                if event.kind is PointerKind.release:
                    return
                event = yield


def translate_node(node: Node, by: Point) -> Node:
    """A layer, or every layer of a group, shifted by whole pixels."""
    if isinstance(node, Group):
        return replace(node, children=tuple(translate_node(child, by) for child in node.children))
    if isinstance(node, Layer):
        return replace(node, position=node.position.translate(*by))
    return node


def _distance(start: PointerEvent, event: PointerEvent) -> Point:
    dx, dy = round(event.x - start.x), round(event.y - start.y)
    if event.shift:
        dx, dy = (dx, 0) if abs(dx) >= abs(dy) else (0, dy)
    return Point(dx, dy)
