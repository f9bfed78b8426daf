"""The eyedropper: takes a colour from the picture."""

from dataclasses import dataclass
from typing import ClassVar

from core.catalog import tools
from core.geometry import Rect
from core.paint.flatten import flatten
from core.paint.pointer import Colour, GestureContext, PointerEvent, PointerKind
from core.tools.painting import Gesture


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
        while True:
            colour = colour_at(context, event)
            if colour is not None:
                context.pick(colour, event.alt)
            if event.kind is PointerKind.release:
                return
            event = yield


def colour_at(context: GestureContext, event: PointerEvent) -> Colour | None:
    """The straight opaque colour shown under the pointer; None off the canvas or on nothing."""
    spot = Rect(int(event.x // 1), int(event.y // 1), 1, 1) & context.document.bounds
    if not spot:
        return None
    red, green, blue, alpha = (int(v) for v in flatten(context.document.root, spot)[0, 0])
    if alpha == 0:
        return None
    return (
        _unpremultiply(red, alpha),
        _unpremultiply(green, alpha),
        _unpremultiply(blue, alpha),
        255,
    )


def _unpremultiply(value: int, alpha: int) -> int:
    return min(255, round(value * 255 / alpha))
