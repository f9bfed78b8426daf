"""The Layer menu."""

from editor.commands import document_edits
from editor.commands.command import Command, Menu, Section, has_document, has_layer, on_document


def layer_menu() -> Menu:
    return (_stack(), _active(), _whole())


def _stack() -> Section:
    return (
        Command(
            "layer-new",
            "New layer",
            "Ctrl+Shift+N",
            on_document(document_edits.add_layer),
            has_document,
            "plus",
        ),
        Command(
            "layer-group",
            "Group",
            "Ctrl+G",
            on_document(document_edits.add_group),
            has_document,
            "folder-plus",
        ),
        Command(
            "layer-duplicate",
            "Duplicate",
            "Ctrl+J",
            on_document(document_edits.duplicate),
            has_layer,
            "copy",
        ),
        Command(
            "layer-merge", "Merge down", "Ctrl+E", on_document(document_edits.merge_down), has_layer
        ),
        Command(
            "layer-delete",
            "Delete layer",
            "Ctrl+Del",
            on_document(document_edits.delete),
            has_layer,
            "trash-2",
        ),
    )


def _active() -> Section:
    return (
        Command(
            "layer-mask",
            "Add mask",
            "",
            on_document(document_edits.add_mask),
            has_layer,
            "circle-dot",
        ),
        Command(
            "layer-unmask", "Remove mask", "", on_document(document_edits.remove_mask), has_layer
        ),
        Command(
            "layer-lock", "Lock transparency", "/", lambda a: a.toggle_lock(), has_layer, "lock"
        ),
    )


def _whole() -> Section:
    return (
        Command(
            "flatten", "Flatten the picture", "", on_document(document_edits.flatten_all), has_layer
        ),
    )
