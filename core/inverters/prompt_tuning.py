"""Prompt Tuning Inversion: the source embeddings are optimised until the picture comes back."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Conditioning, Levels
from core.editing.inversion import Inversion, ReplayPath, Source, ddim_invert
from core.editing.prompt_optimisation import OptimisationSettings, optimise_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

PROMPT_TUNING = OptimisationSettings(
    rounds=10, rate=lambda _: 1e-2, enough=lambda _: 0.0, is_negative=False
)
SHARE = 0.8
"""The prompt's share in the embeddings of an edit; the rest is the optimised source."""


@inverters.register
class PromptTuningInversion:
    """Edit without saying what is there (Prompt Tuning Inversion, arXiv 2305.04441).

    Every edit uses a mixture of its prompt's embeddings and the optimised source embeddings; the
    source prompt may be empty.
    """

    id: ClassVar[str] = "prompt-tuning"
    label: ClassVar[str] = "Prompt Tuning Inversion"
    paper: ClassVar[Paper | None] = Paper("Prompt Tuning Inversion", "2305.04441")
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps * (2 + PROMPT_TUNING.rounds)

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        embeddings = yield from optimise_prompts(source, latents, PROMPT_TUNING)
        return InterpolatedPath(source.levels, latents, embeddings)


class InterpolatedPath(ReplayPath):
    """A path with source embeddings of its own for every step; edits follow a mixture with them."""

    def __init__(
        self,
        levels: Levels,
        latents: "Sequence[Tensor]",
        embeddings: "Sequence[Conditioning]",
        share: float = SHARE,
    ) -> None:
        super().__init__(levels, latents)
        self.embeddings = tuple(embeddings)
        self.share = share

    def prompt_embeddings(self, i: int, embeddings: Conditioning) -> Conditioning:
        import torch

        own = self.embeddings[i].tokens
        edits = own.lerp(embeddings.tokens[1:], self.share)
        return replace(embeddings, tokens=torch.cat([own, edits]))
