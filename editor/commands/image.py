"""The Image menu."""

from editor.commands import document_edits
from editor.commands.command import Command, Menu, has_selection, on_document


def image_menu() -> Menu:
    crop = on_document(document_edits.crop_to_selection)
    return ((Command("crop", "Crop to selection", "", crop, has_selection),),)
