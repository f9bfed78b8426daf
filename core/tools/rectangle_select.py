"""Rectangle selection."""

from dataclasses import dataclass
from typing import ClassVar

from core.catalog import tools
from core.geometry import Rect
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.paint.selection import Selection
from core.tools.painting import Gesture
from core.tools.selecting import select


@tools.register
class RectangleSelectTool:
    """Drag a rectangle; Shift adds, Alt takes away, Ctrl keeps what both share."""

    id: ClassVar[str] = "rectangle-select"
    label: ClassVar[str] = "Rectangle selection"
    icon: ClassVar[str] = "square-dashed"
    shortcut: ClassVar[str] = "M"
    position: ClassVar[int] = 40
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        pass

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        start = event
        while event.kind is not PointerKind.release:
            context.sketched(_corners(_rect_between(start, event)))
            event = yield
        shape = Selection(_rect_between(start, event) & context.document.bounds)
        select(context, shape, start)


def _corners(rect: Rect) -> list[tuple[float, float]]:
    left, top, right, bottom = rect.x, rect.y, rect.right, rect.bottom
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _rect_between(start: PointerEvent, end: PointerEvent) -> Rect:
    left, right = sorted((round(start.x), round(end.x)))
    top, bottom = sorted((round(start.y), round(end.y)))
    return Rect.from_edges(left, top, right, bottom)
