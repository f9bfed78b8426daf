"""The Select menu."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from editor.commands import document_edits as edits
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
class SelectMenu:
    """What is selected, and how the selection changes as a whole."""

    id: ClassVar[str] = "select"
    label: ClassVar[str] = "Select"
    position: ClassVar[int] = 40

    def sections(self, session: "Session") -> Sections:
        return (_choose(session), _change(session))


def _choose(session: "Session") -> Section:
    does, rules = partial(on_document, session.studio), Rules(session.studio)
    every, none, inverse = edits.select_all, edits.select_none, edits.select_inverse
    return (
        Command("select-all", "All", "Ctrl+A", does(every), rules.has_document),
        Command("select-none", "None", "Ctrl+Shift+A", does(none), rules.has_selection),
        Command("select-inverse", "Inverse", "Ctrl+Shift+I", does(inverse), rules.has_document),
    )


def _change(session: "Session") -> Section:
    does, is_selected = partial(on_document, session.studio), Rules(session.studio).has_selection
    return (
        Command("feather", "Feather by 8 px", "Shift+F6", does(edits.feather, 8.0), is_selected),
        Command("grow", "Grow by 8 px", "", does(edits.grow, 8), is_selected),
        Command("shrink", "Shrink by 8 px", "", does(edits.grow, -8), is_selected),
    )
