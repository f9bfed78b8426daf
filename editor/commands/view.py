"""The View menu."""

from editor.commands.command import Command, Menu, Section, has_document


def view_menu() -> Menu:
    return (_zoom(), _turn(), _before_and_after(), _window())


def _zoom() -> Section:
    return (
        Command("zoom-in", "Zoom in", "Ctrl++", lambda a: a.canvas.zoom_by(1)),
        Command("zoom-out", "Zoom out", "Ctrl+-", lambda a: a.canvas.zoom_by(-1)),
        Command("fit", "Fit", "Ctrl+0", lambda a: a.canvas.fit(), icon="maximize"),
        Command("actual", "100 %", "Ctrl+1", lambda a: a.canvas.actual_size()),
    )


def _turn() -> Section:
    return (
        Command(
            "turn-left",
            "Rotate left",
            "Shift+R",
            lambda a: a.canvas.turn_by(-15),
            icon="rotate-ccw",
        ),
        Command(
            "turn-right", "Rotate right", "R", lambda a: a.canvas.turn_by(15), icon="rotate-cw"
        ),
        Command("upright", "Upright", "Ctrl+Shift+R", lambda a: a.canvas.upright()),
    )


def _before_and_after() -> Section:
    return (
        Command(
            "compare",
            "Compare before and after",
            "Y",
            lambda a: a.window.toggle_compare(),
            has_document,
            "contrast",
        ),
        Command(
            "pin",
            "Pin and compare with what comes",
            "Shift+Y",
            lambda a: a.window.pin_result(),
            has_document,
        ),
    )


def _window() -> Section:
    return (
        Command("docks", "Hide or show docks", "Tab", lambda a: a.window.toggle_docks()),
        Command("full-screen", "Full screen", "F", lambda a: a.window.toggle_full_screen()),
        Command("theme", "Light or dark", "", lambda a: a.toggle_theme()),
    )
