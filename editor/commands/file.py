"""The File menu."""

from editor.commands.command import Command, Menu, Section, has_document


def file_menu() -> Menu:
    return (_open(), _save(), _quit())


def _open() -> Section:
    return (
        Command("new", "New…", "Ctrl+N", lambda a: a.files.new(), icon="file-plus"),
        Command("open", "Open…", "Ctrl+O", lambda a: a.files.open(), icon="folder-open"),
        Command("sample", "Open the sample", "", lambda a: a.files.open_sample()),
    )


def _save() -> Section:
    return (
        Command("save", "Save", "Ctrl+S", lambda a: a.files.save(), has_document, "save"),
        Command("save-as", "Save as…", "Ctrl+Shift+S", lambda a: a.files.save_as(), has_document),
        Command(
            "export",
            "Export a flat copy…",
            "Ctrl+Shift+E",
            lambda a: a.files.export(),
            has_document,
        ),
    )


def _quit() -> Section:
    return (Command("quit", "Quit", "Ctrl+Q", lambda a: a.window.close()),)
