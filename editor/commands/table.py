"""All commands of the window, menu by menu."""

from collections.abc import Iterator
from dataclasses import replace

from editor.commands.ai import ai_menu
from editor.commands.brush import brush_keys
from editor.commands.command import Command, Menu
from editor.commands.edit import edit_menu
from editor.commands.file import file_menu
from editor.commands.help import help_menu
from editor.commands.image import image_menu
from editor.commands.layer import layer_menu
from editor.commands.select import select_menu
from editor.commands.view import view_menu

MENUS = {
    "File": file_menu,
    "Edit": edit_menu,
    "Layer": layer_menu,
    "Select": select_menu,
    "Image": image_menu,
    "AI": ai_menu,
    "View": view_menu,
    "": brush_keys,
    "Help": help_menu,
}


def table() -> tuple[Command, ...]:
    """All commands in the order of their menus."""
    return tuple(row for name, menu in MENUS.items() for row in _rows(name, menu()))


def _rows(name: str, menu: Menu) -> Iterator[Command]:
    for section in menu:
        is_last = section is menu[-1]
        for row in section:
            yield replace(row, menu=name, ends_section=row is section[-1] and not is_last)
