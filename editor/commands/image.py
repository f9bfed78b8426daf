"""The Image menu."""

from typing import TYPE_CHECKING, ClassVar

from editor.commands import document_edits
from editor.commands.command import Command, Rules, Sections, command_groups, on_document

if TYPE_CHECKING:
    from editor.session import Session


@command_groups.register
class ImageMenu:
    """What changes the canvas itself."""

    id: ClassVar[str] = "image"
    label: ClassVar[str] = "Image"
    position: ClassVar[int] = 50

    def sections(self, session: "Session") -> Sections:
        crop = on_document(session.studio, document_edits.crop_to_selection)
        rules = Rules(session.studio)
        return ((Command("crop", "Crop to selection", "", crop, rules.has_selection),),)
