"""The Select menu."""

from editor.commands import document_edits
from editor.commands.command import (
    Command,
    Menu,
    Section,
    has_document,
    has_selection,
    on_document,
)


def select_menu() -> Menu:
    return (_choose(), _change())


def _choose() -> Section:
    return (
        Command(
            "select-all", "All", "Ctrl+A", on_document(document_edits.select_all), has_document
        ),
        Command(
            "select-none",
            "None",
            "Ctrl+Shift+A",
            on_document(document_edits.select_none),
            has_selection,
        ),
        Command(
            "select-inverse",
            "Inverse",
            "Ctrl+Shift+I",
            on_document(document_edits.select_inverse),
            has_document,
        ),
    )


def _change() -> Section:
    return (
        Command(
            "feather",
            "Feather by 8 px",
            "Shift+F6",
            on_document(document_edits.feather, 8.0),
            has_selection,
        ),
        Command("grow", "Grow by 8 px", "", on_document(document_edits.grow, 8), has_selection),
        Command(
            "shrink", "Shrink by 8 px", "", on_document(document_edits.grow, -8), has_selection
        ),
    )
