"""Drives a tool's gesture event by event."""

from dataclasses import replace
from typing import Any

from core import catalog
from core.catalog import params_of, tools
from core.geometry import Size
from core.paint.document import Document
from core.paint.history import History
from core.paint.layers import Layer
from core.paint.pointer import GestureContext, PointerEvent, PointerKind

Place = tuple[float, float]
catalog.load("tools", "brushes")


def document(*nodes: Any) -> Document:
    """A canvas of 400 x 300 with the given layers, or one empty one; the last is active."""
    made = Document(Size(400, 300))
    for node in nodes or (Layer("ink"),):
        made.insert("Add", node)
    made.history = History()
    return made


def context(made: Document, tool: str, **changes: Any) -> GestureContext:
    from core.brushes.round import Round

    brush = Round(Round.Params(size=20, hardness=100))
    given = GestureContext(
        made, made.state.active, brush, params_of(tools[tool])(), (200, 30, 60, 255)
    )
    return replace(given, **changes)


def drag(given: GestureContext, tool: str, *places: Place, finish: bool = True, **keys: Any) -> Any:
    """Press at the first place, move through the others and let go at the last.

    Without finish the open gesture is returned.
    """
    press = PointerEvent(PointerKind.press, *places[0], **keys)
    gesture = tools[tool]().gesture(given, press)
    if _has_ended(gesture, None):
        return None
    for number, place in enumerate(places[1:]):
        event = PointerEvent(PointerKind.move, *place, time=0.1 * (number + 1), **keys)
        if _has_ended(gesture, event):
            return None
    if finish:
        _has_ended(gesture, PointerEvent(PointerKind.release, *places[-1], time=9.0, **keys))
    return gesture


def _has_ended(gesture: Any, event: PointerEvent | None) -> bool:
    try:
        gesture.send(event)
    except StopIteration:
        return True
    return False
