"""Negative-prompt inversion: the source prompt is the negative prompt, without optimising."""

from typing import ClassVar

from core.catalog import Paper, inverters
from core.editing.inversion import Inversion, ReplayPath, Source, ddim_invert


@inverters.register
class NegativePromptInversion:
    """Guide away from what the picture shows (Negative-prompt Inversion, arXiv 2305.16807).

    The source is then replayed without guidance at every scale. The recipe's own negative prompt
    is not used.
    """

    id: ClassVar[str] = "negative-prompt"
    label: ClassVar[str] = "Negative-prompt inversion"
    paper: ClassVar[Paper | None] = Paper("Negative-prompt Inversion", "2305.16807")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        return ReplayPath(source.levels, latents, [source.embeddings] * (len(latents) - 1))
