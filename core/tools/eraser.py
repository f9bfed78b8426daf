"""The eraser: takes paint away from the active layer."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from core.catalog import tools
from core.paint.pointer import GestureContext, PointerEvent
from core.params import Range
from core.tools.painting import Gesture, open_stroke, paint_stroke
from core.tools.picking import pick_colour


@tools.register
class EraserTool:
    """Erase paint with the shape of the brush; Alt picks a colour."""

    id: ClassVar[str] = "eraser"
    label: ClassVar[str] = "Eraser"
    icon: ClassVar[str] = "eraser"
    shortcut: ClassVar[str] = "E"
    position: ClassVar[int] = 20
    uses_brush: ClassVar[bool] = True
    erases: ClassVar[bool] = True
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        opacity: Annotated[float, Range(1, 100, "Opacity", "%", step=1)] = 100.0

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        """Raises EditorError when there is nothing to paint on."""
        if event.alt:
            yield from pick_colour(context, event)
            return
        with open_stroke(context, "Erase", erase=True) as writer:
            opacity = context.params.opacity / 100
            yield from paint_stroke(context, writer, event, context.colour, opacity, erase=True)
