"""The keys that change the brush while it is in use."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from core.catalog import brushes
from core.params import BrushHardness, BrushSize, Range, field_marked
from editor.commands.command import Command, Sections, command_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from editor.session import Session
    from editor.studio import Studio


@command_groups.register
class BrushKeys:
    """Size and hardness by keys, and every brush by its name."""

    id: ClassVar[str] = "brush"
    label: ClassVar[str] = ""
    position: ClassVar[int] = 80

    def sections(self, session: "Session") -> Sections:
        size = partial(resize_brush, session.studio)
        harden = partial(harden_brush, session.studio)
        choose = session.studio.choose_brush
        return (
            (
                Command("smaller", "Smaller brush", "[", partial(size, 1 / 1.15)),
                Command("larger", "Larger brush", "]", partial(size, 1.15)),
                Command("softer", "Softer brush", "Shift+[", partial(harden, -10)),
                Command("harder", "Harder brush", "Shift+]", partial(harden, 10)),
            ),
            tuple(
                Command(f"brush-{kind.id}", f"Brush: {kind.label}", "", partial(choose, kind.id))
                for kind in brushes
            ),
        )


def resize_brush(studio: "Studio", factor: float) -> None:
    """Multiply the size of the tool or brush, by half a pixel at least."""
    half = 0.5 if factor > 1 else -0.5
    change_dial(studio, BrushSize, lambda value: value * factor + half)


def harden_brush(studio: "Studio", by: float) -> None:
    """Add to the hardness of the tool or brush, in per cent."""
    change_dial(studio, BrushHardness, lambda value: value + by)


def change_dial(studio: "Studio", marker: type[Range], change: "Callable[[float], float]") -> None:
    """Change the dial with a marker: the tool's own if it has one, else the brush's."""
    on_tool = field_marked(type(studio.tool_params), marker) is not None
    params = studio.tool_params if on_tool else studio.brush_params
    field = field_marked(type(params), marker)
    if field is None or not isinstance(field.marker, Range):
        return
    low, high = field.marker.low, field.marker.high
    value = min(high, max(low, round(change(getattr(params, field.name)))))
    changed = replace(params, **{field.name: float(value)})
    (studio.set_tool_params if on_tool else studio.set_brush_params)(changed)
