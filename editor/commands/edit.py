"""The Edit menu."""

from typing import TYPE_CHECKING, ClassVar

from editor.commands import clipboard, document_edits
from editor.commands.command import (
    Command,
    Rules,
    Section,
    Sections,
    command_groups,
    on_document,
)

if TYPE_CHECKING:
    from editor.session import Session


@command_groups.register
class EditMenu:
    """History, clipboard, filling and colours."""

    id: ClassVar[str] = "edit"
    label: ClassVar[str] = "Edit"
    position: ClassVar[int] = 20

    def sections(self, session: "Session") -> Sections:
        return (_history(session), _clipboard(session), _paint(session), _colours(session))


def undo(session: "Session") -> None:
    """Take back the last edit and say which."""
    label = session.studio.document.undo()
    if label:
        session.note(f"Undid {label.lower()}")


def redo(session: "Session") -> None:
    """Do again what was taken back last, and say which."""
    label = session.studio.document.redo()
    if label:
        session.note(f"Redid {label.lower()}")


def _history(session: "Session") -> Section:
    rules = Rules(session.studio)
    return (
        Command("undo", "Undo", "Ctrl+Z", lambda: undo(session), rules.can_undo, "undo-2"),
        Command("redo", "Redo", "Ctrl+Shift+Z", lambda: redo(session), rules.can_redo, "redo-2"),
    )


def _clipboard(session: "Session") -> Section:
    studio, rules = session.studio, Rules(session.studio)
    copy, cut = on_document(studio, clipboard.copy), on_document(studio, clipboard.cut)
    paste = on_document(studio, clipboard.paste)
    return (
        Command("cut", "Cut", "Ctrl+X", cut, rules.has_layer),
        Command("copy", "Copy", "Ctrl+C", copy, rules.has_layer, "copy"),
        Command("paste", "Paste as layer", "Ctrl+V", paste, rules.has_document),
    )


def _paint(session: "Session") -> Section:
    studio, rules = session.studio, Rules(session.studio)

    def fill() -> None:
        document_edits.fill(studio.document, studio.choices.foreground)

    clear = on_document(studio, document_edits.clear)
    return (
        Command("fill", "Fill with foreground", "Alt+Backspace", fill, rules.has_layer),
        Command("clear", "Clear", "Del", clear, rules.has_layer),
    )


def _colours(session: "Session") -> Section:
    studio = session.studio
    return (
        Command("swap", "Swap colours", "X", studio.swap_colours, icon="arrow-left-right"),
        Command("default-colours", "Default colours", "D", studio.default_colours),
    )
