"""The Image menu."""

from editor import verbs
from editor.commands.command import Command, Menu, has_selection, on_document


def image_menu() -> Menu:
    crop = on_document(verbs.crop_to_selection)
    return ((Command("crop", "Crop to selection", "", crop, has_selection),),)
