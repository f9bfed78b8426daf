"""The File menu."""

from typing import TYPE_CHECKING

from editor.commands.command import Command, Rules, Sections

if TYPE_CHECKING:
    from editor.files.file_actions import FileActions


def file_sections(files: "FileActions") -> Sections:
    """New, open, save and export; what ends the window is the window's own."""
    rules = Rules(files.session.studio)
    return (
        (
            Command("new", "New…", "Ctrl+N", files.new, icon="file-plus"),
            Command("open", "Open…", "Ctrl+O", files.open, icon="folder-open"),
            Command("sample", "Open the sample", "", files.open_sample),
        ),
        (
            Command("save", "Save", "Ctrl+S", files.save, rules.has_document, "save"),
            Command("save-as", "Save as…", "Ctrl+Shift+S", files.save_as, rules.has_document),
            Command(
                "export",
                "Export a flat copy…",
                "Ctrl+Shift+E",
                files.export,
                rules.has_document,
            ),
        ),
    )
