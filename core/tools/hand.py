"""The Hand tool: moves the view."""

from dataclasses import dataclass
from typing import ClassVar

from core.catalog import tools
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.tools.painting import Gesture


@tools.register
class HandTool:
    """Drag the canvas about."""

    id: ClassVar[str] = "hand"
    label: ClassVar[str] = "Hand"
    icon: ClassVar[str] = "hand"
    shortcut: ClassVar[str] = "H"
    position: ClassVar[int] = 80
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        pass

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        start = event
        while event.kind is not PointerKind.release:
            event = yield
            context.panned(event.x - start.x, event.y - start.y)
