"""Replace: put something else where a thing is."""

from typing import ClassVar

from core.catalog import verbs


@verbs.register
class Replace:
    """Put something else where a thing is, or give that thing another look.

    Where the last word stays, as from *a red car* to *a blue car*, the thing keeps its shape; else
    its place is painted anew.
    """

    id: ClassVar[str] = "replace"
    label: ClassVar[str] = "Replace"
    position: ClassVar[int] = 20
    technique: ClassVar[str] = "blended-inpaint"
    source_hint: ClassVar[str] = "What is there now, such as a tree; or select it"
    prompt_hint: ClassVar[str] = "What should be there, such as a mushroom"
    takes_whole: ClassVar[bool] = False
    makes_room: ClassVar[bool] = True

    @staticmethod
    def kind_of(source: str, prompt: str) -> str:
        old, new = source.casefold().split(), prompt.casefold().split()
        return "colour" if old and new and old != new and old[-1] == new[-1] else "object"
