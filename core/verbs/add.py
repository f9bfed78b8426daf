"""Add: paint a new thing into the picture, where you paint or select."""

from typing import ClassVar

from core.catalog import verbs


@verbs.register
class Add:
    """Paint a new thing into the picture, where you paint or select."""

    id: ClassVar[str] = "add"
    label: ClassVar[str] = "Add"
    position: ClassVar[int] = 10
    technique: ClassVar[str] = "blended-inpaint"
    source_hint: ClassVar[str] = ""
    prompt_hint: ClassVar[str] = "What should be there, such as a mushroom"
    takes_whole: ClassVar[bool] = False
    makes_room: ClassVar[bool] = False

    @staticmethod
    def kind_of(source: str, prompt: str) -> str:
        return "add"
