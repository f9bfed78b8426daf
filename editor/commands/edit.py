"""The Edit menu."""

from typing import TYPE_CHECKING

from editor.commands import document_edits
from editor.commands.command import Command, Menu, Section, has_document, has_layer, on_document

if TYPE_CHECKING:
    from editor.app import App


def _can_undo(app: "App") -> bool:
    return app.has_document and bool(app.studio.document.history.done)


def _can_redo(app: "App") -> bool:
    return app.has_document and bool(app.studio.document.history.undone)


def _fill(app: "App") -> None:
    document_edits.fill(app.studio.document, app.studio.choices.foreground)


def edit_menu() -> Menu:
    return (_history(), _clipboard(), _paint(), _colours(), _search())


def _history() -> Section:
    return (
        Command("undo", "Undo", "Ctrl+Z", lambda a: a.undo(), _can_undo, "undo-2"),
        Command("redo", "Redo", "Ctrl+Shift+Z", lambda a: a.redo(), _can_redo, "redo-2"),
    )


def _clipboard() -> Section:
    return (
        Command("cut", "Cut", "Ctrl+X", lambda a: a.cut(), has_layer),
        Command("copy", "Copy", "Ctrl+C", lambda a: a.copy(), has_layer, "copy"),
        Command("paste", "Paste as layer", "Ctrl+V", lambda a: a.paste(), has_document),
    )


def _paint() -> Section:
    return (
        Command("fill", "Fill with foreground", "Alt+Backspace", _fill, has_layer),
        Command("clear", "Clear", "Del", on_document(document_edits.clear), has_layer),
    )


def _colours() -> Section:
    return (
        Command(
            "swap", "Swap colours", "X", lambda a: a.studio.swap_colours(), icon="arrow-left-right"
        ),
        Command("default-colours", "Default colours", "D", lambda a: a.studio.default_colours()),
    )


def _search() -> Section:
    return (
        Command(
            "palette", "Find a command…", "Ctrl+K", lambda a: a.window.find_command(), icon="search"
        ),
    )
