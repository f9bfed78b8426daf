"""What the hand on the brush reaches by keys alone."""

from editor.commands.command import Command, Menu


def brush_keys() -> Menu:
    return (
        (
            Command("smaller", "Smaller brush", "[", lambda a: a.resize_brush(1 / 1.15)),
            Command("larger", "Larger brush", "]", lambda a: a.resize_brush(1.15)),
            Command("softer", "Softer brush", "Shift+[", lambda a: a.harden_brush(-10)),
            Command("harder", "Harder brush", "Shift+]", lambda a: a.harden_brush(10)),
        ),
    )
