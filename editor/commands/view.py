"""The View menu."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from core.catalog import techniques
from editor.commands.command import Command, Rules, Section, Sections, command_groups
from editor.commands.settings import change_settings

if TYPE_CHECKING:
    from editor.session import Session


@command_groups.register
class ViewMenu:
    """Zoom, rotation, before and after."""

    id: ClassVar[str] = "view"
    label: ClassVar[str] = "View"
    position: ClassVar[int] = 70

    def sections(self, session: "Session") -> Sections:
        return (_zoom(session), _turn(session), _before_and_after(session))


def pin_result(session: "Session") -> None:
    """Keep what is shown left of the wipe, named after the technique that made it."""
    layer = session.ai.current_recipe.layer
    known = layer is not None and layer.recipe.technique in techniques
    session.compare.pin(techniques[layer.recipe.technique].label if layer and known else "")


def toggle_theme(session: "Session") -> None:
    """From the dark theme to the light one, or back; remembered in the settings."""
    settings = session.settings.value
    name = "light" if settings.theme == "dark" else "dark"
    change_settings(session, replace(settings, theme=name))


def _zoom(session: "Session") -> Section:
    canvas = session.canvas
    return (
        Command("zoom-in", "Zoom in", "Ctrl++", partial(canvas.zoom_by, 1)),
        Command("zoom-out", "Zoom out", "Ctrl+-", partial(canvas.zoom_by, -1)),
        Command("fit", "Fit", "Ctrl+0", canvas.fit, icon="maximize"),
        Command("actual", "100 %", "Ctrl+1", canvas.zoom_to_actual_size),
    )


def _turn(session: "Session") -> Section:
    canvas = session.canvas
    left, right = partial(canvas.turn_by, -15), partial(canvas.turn_by, 15)
    return (
        Command("turn-left", "Rotate left", "Shift+R", left, icon="rotate-ccw"),
        Command("turn-right", "Rotate right", "R", right, icon="rotate-cw"),
        Command("upright", "Upright", "Ctrl+Shift+R", canvas.turn_upright),
    )


def _before_and_after(session: "Session") -> Section:
    rules, pin = Rules(session.studio), partial(pin_result, session)
    return (
        Command(
            "compare",
            "Compare before and after",
            "Y",
            session.compare.toggle,
            rules.has_document,
            "contrast",
        ),
        Command("pin", "Pin and compare with what comes", "Shift+Y", pin, rules.has_document),
    )
