"""Prompt Tuning Inversion: the source prompt is tuned until the picture comes back."""

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
    rounds=10, rate=lambda _: 1e-2, enough=lambda _: 0.0, is_against=False
)
SHARE = 0.8
"""How much of an edit's words is the prompt; the rest is the tuned source."""


@inverters.register
class PromptTuningInversion:
    """Edit without saying what is there (Prompt Tuning Inversion, arXiv 2305.04441).

    Every edit follows a mixture of its prompt and the tuned source prompt, which may be empty.
    """

    id: ClassVar[str] = "prompt-tuning"
    label: ClassVar[str] = "Prompt Tuning Inversion"
    paper: ClassVar[Paper | None] = Paper("Prompt Tuning Inversion", "2305.04441")
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})

    def calls(self, steps: int) -> int:
        return steps * (2 + PROMPT_TUNING.rounds)

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        words = yield from optimise_prompts(source, latents, PROMPT_TUNING)
        return InterpolatedPath(source.levels, latents, words)


class InterpolatedPath(ReplayPath):
    """A path with words of its own: the source follows them, edits follow a mixture."""

    def __init__(
        self,
        levels: Levels,
        latents: "Sequence[Tensor]",
        words: "Sequence[Conditioning]",
        share: float = SHARE,
    ) -> None:
        super().__init__(levels, latents)
        self.words = tuple(words)
        self.share = share

    def prompt_embeddings(self, i: int, words: Conditioning) -> Conditioning:
        import torch

        own = self.words[i].tokens
        edits = own.lerp(words.tokens[1:], self.share)
        return replace(words, tokens=torch.cat([own, edits]))
