"""Restyle: keep what the picture shows, and change how it is drawn."""

from typing import ClassVar

from core.catalog import verbs


@verbs.register
class Restyle:
    """Keep what the picture shows, and change how it is drawn."""

    id: ClassVar[str] = "restyle"
    label: ClassVar[str] = "Restyle"
    position: ClassVar[int] = 40
    technique: ClassVar[str] = "sdedit"
    source_hint: ClassVar[str] = "What the picture shows now"
    prompt_hint: ClassVar[str] = "The same, as it should look, such as a tree, flat"
    takes_whole: ClassVar[bool] = True
    makes_room: ClassVar[bool] = False

    @staticmethod
    def kind_of(source: str, prompt: str) -> str:
        return "style"
