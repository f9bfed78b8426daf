"""Generate: paint a whole picture, or the selection, from nothing but words."""

from typing import ClassVar

from core.catalog import verbs


@verbs.register
class Generate:
    """Paint a whole picture, or the selection, from nothing but words."""

    id: ClassVar[str] = "generate"
    label: ClassVar[str] = "Generate"
    position: ClassVar[int] = 50
    technique: ClassVar[str] = "text-to-image"
    source_hint: ClassVar[str] = ""
    prompt_hint: ClassVar[str] = "What the picture should show"
    takes_whole: ClassVar[bool] = True
    makes_room: ClassVar[bool] = False

    @staticmethod
    def kind_of(source: str, prompt: str) -> str:
        return ""
