"""Freehand selection."""

from dataclasses import dataclass
from typing import ClassVar

from core.catalog import tools
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.paint.selection import Selection
from core.tools.painting import Gesture
from core.tools.selecting import select


@tools.register
class LassoSelectTool:
    """Draw round something; Shift adds, Alt takes away, Ctrl keeps what both share."""

    id: ClassVar[str] = "lasso-select"
    label: ClassVar[str] = "Lasso selection"
    icon: ClassVar[str] = "lasso-select"
    shortcut: ClassVar[str] = "L"
    position: ClassVar[int] = 50
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        pass

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        outline = [(event.x, event.y)]
        press = event
        while event.kind is not PointerKind.release:
            context.sketched(outline)
            event = yield
            outline.append((event.x, event.y))
        select(context, Selection.polygon(outline, context.document.size), press)
