"""The commands of the window itself, which close several menus."""

from functools import partial
from typing import TYPE_CHECKING

from editor.commands.command import Command, Sections
from editor.commands.view import toggle_theme

if TYPE_CHECKING:
    from editor.shell.window import MainWindow


def window_sections(window: "MainWindow") -> dict[str, Sections]:
    """The last section of each menu that the window has a part in, by the menu's name."""
    settings = Command("settings", "Settings…", "Ctrl+,", window.show_settings)
    find = Command("palette", "Find a command…", "Ctrl+K", window.find_command, icon="search")
    return {
        "File": ((Command("quit", "Quit", "Ctrl+Q", window.close),),),
        "Edit": ((find, settings),),
        "View": (
            (
                Command("brush-dials", "Brushes", "F5", partial(window.show_dock, "brush")),
                Command("docks", "Hide or show docks", "Tab", window.toggle_docks),
                Command("full-screen", "Full screen", "F", window.toggle_full_screen),
                Command("theme", "Light or dark", "", partial(toggle_theme, window.session)),
            ),
        ),
        "Help": (
            (
                Command("keys", "Keys", "F1", window.show_keys),
                Command("about", "About Sfumato", "", window.show_about),
            ),
        ),
    }
