"""The eyedropper: takes a colour from the picture."""

from dataclasses import dataclass
from typing import ClassVar

from core.catalog import tools
from core.paint.pointer import GestureContext, PointerEvent
from core.tools.painting import Gesture
from core.tools.picking import pick_colour


@tools.register
class EyedropperTool:
    """Pick the foreground colour from what is shown; Alt picks the background colour."""

    id: ClassVar[str] = "eyedropper"
    label: ClassVar[str] = "Eyedropper"
    icon: ClassVar[str] = "pipette"
    shortcut: ClassVar[str] = "I"
    position: ClassVar[int] = 70
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        pass

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        yield from pick_colour(context, event, is_background=event.alt)
