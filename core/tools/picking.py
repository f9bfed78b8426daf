"""What tools share that take a colour from the picture."""

from core.geometry import Rect
from core.paint.flatten import flatten
from core.paint.pointer import Colour, GestureContext, PointerEvent, PointerKind
from core.tools.painting import Gesture


def pick_colour(
    context: GestureContext, event: PointerEvent, is_background: bool = False
) -> Gesture:
    """Pick the colour under the pointer until it is released."""
    while True:
        colour = colour_at(context, event)
        if colour is not None:
            context.pick(colour, is_background)
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
