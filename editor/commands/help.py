"""The Help menu."""

from editor.commands.command import Command, Menu


def help_menu() -> Menu:
    keys = Command("keys", "Keys", "F1", lambda a: a.window.show_keys())
    about = Command("about", "About Sfumato", "", lambda a: a.window.show_about())
    return ((keys, about),)
