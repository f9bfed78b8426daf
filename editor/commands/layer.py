"""The Layer menu."""

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
class LayerMenu:
    """The stack of layers, the active one, and all of them."""

    id: ClassVar[str] = "layer"
    label: ClassVar[str] = "Layer"
    position: ClassVar[int] = 30

    def sections(self, session: "Session") -> Sections:
        return (_stack(session), _active(session), _mask(session), _whole(session))


def toggle_lock(session: "Session") -> None:
    """Lock the active layer's transparency or free it, and say so."""
    session.note(edits.toggle_lock(session.studio.document))


def toggle_mask(session: "Session") -> None:
    """Switch the active layer's mask off or on, and say so."""
    session.note(edits.toggle_mask(session.studio.document))


def _stack(session: "Session") -> Section:
    does, rules = partial(on_document, session.studio), Rules(session.studio)
    has_document, has_layer = rules.has_document, rules.has_layer
    return (
        Command(
            "layer-new", "New layer", "Ctrl+Shift+N", does(edits.add_layer), has_document, "plus"
        ),
        Command(
            "layer-group", "Group", "Ctrl+G", does(edits.add_group), has_document, "folder-plus"
        ),
        Command("layer-duplicate", "Duplicate", "Ctrl+J", does(edits.duplicate), has_layer, "copy"),
        Command("layer-merge", "Merge down", "Ctrl+E", does(edits.merge_down), has_layer),
        Command(
            "layer-delete", "Delete layer", "Ctrl+Del", does(edits.delete), has_layer, "trash-2"
        ),
    )


def _active(session: "Session") -> Section:
    has_layer = Rules(session.studio).has_layer
    lock = partial(toggle_lock, session)
    return (Command("layer-lock", "Lock transparency", "/", lock, has_layer, "lock"),)


def _mask(session: "Session") -> Section:
    does, rules = partial(on_document, session.studio), Rules(session.studio)
    has_layer, has_mask = rules.has_layer, rules.has_mask
    show, off = session.canvas.mask_overlay.toggle, partial(toggle_mask, session)
    return (
        Command("layer-mask", "Add mask", "", does(edits.add_mask), has_layer, "circle-dot"),
        Command("layer-unmask", "Remove mask", "", does(edits.remove_mask), has_mask),
        Command("mask-paint", "Paint mask or pixels", "Q", does(edits.switch_plane), has_layer),
        Command("mask-invert", "Invert mask", "", does(edits.invert_mask), has_mask),
        Command("mask-off", "Switch mask off or on", "", off, has_mask),
        Command("mask-show", "Show mask as overlay", "\\", show, has_layer),
    )


def _whole(session: "Session") -> Section:
    flatten = on_document(session.studio, edits.flatten_all)
    has_layer = Rules(session.studio).has_layer
    return (Command("flatten", "Flatten the picture", "", flatten, has_layer),)
