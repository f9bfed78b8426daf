"""Null-text inversion: the negative embeddings are optimised until the picture comes back."""

from typing import ClassVar

from core.catalog import Paper, inverters
from core.editing.inversion import Inversion, ReplayPath, Source, ddim_invert
from core.editing.prompt_optimisation import OptimisationSettings, optimise_prompts

NULL_TEXT = OptimisationSettings(
    rounds=10,
    rate=lambda step: 1e-2 * max(0.0, 1 - step / 100),
    enough=lambda step: 1e-5 + step * 2e-5,
    is_negative=True,
)
"""As published."""


@inverters.register
class NullTextInversion:
    """Give the picture back under strong guidance, slowly (Null-text Inversion, arXiv 2211.09794).

    The optimisation of every step starts from the negative prompt.
    """

    id: ClassVar[str] = "null-text"
    label: ClassVar[str] = "Null-text inversion"
    paper: ClassVar[Paper | None] = Paper("Null-text Inversion", "2211.09794")
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps * (2 + NULL_TEXT.rounds)

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        negatives = yield from optimise_prompts(source, latents, NULL_TEXT)
        return ReplayPath(source.levels, latents, negatives)
