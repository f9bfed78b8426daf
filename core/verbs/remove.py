"""Remove: take something away, and let what is around it close the gap."""

from typing import ClassVar

from core.catalog import verbs


@verbs.register
class Remove:
    """Take something away, and let what is around it close the gap."""

    id: ClassVar[str] = "remove"
    label: ClassVar[str] = "Remove"
    position: ClassVar[int] = 30
    technique: ClassVar[str] = "erase"
    source_hint: ClassVar[str] = "What should go, such as the tree; or select it"
    prompt_hint: ClassVar[str] = ""
    takes_whole: ClassVar[bool] = False
    makes_room: ClassVar[bool] = False

    @staticmethod
    def kind_of(source: str, prompt: str) -> str:
        return "remove"
