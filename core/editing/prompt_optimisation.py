"""Words tuned until a guided step lands on the path: what null-text and prompt tuning share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.diffusion.guidance import guide_prediction
from core.diffusion.latent_masks import check_finite
from core.diffusion.model import Conditioning
from core.editing.inversion import Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor


@dataclass(frozen=True)
class OptimisationSettings:
    """How words are tuned: Adam's rate and the mean square that is near enough, by step.

    ``is_against`` says that the words that stand against the prompt are tuned, not the prompt's.
    """

    rounds: int
    rate: Callable[[int], float]
    enough: Callable[[int], float]
    is_against: bool


class PromptOptimiser:
    """Words under Adam; ``best`` are those whose step landed nearest, at ``landed``."""

    def __init__(self, words: Conditioning, rate: float) -> None:
        from torch.optim import Adam

        self.words = replace(words, tokens=words.tokens.detach().clone().requires_grad_())
        self.best = words
        self.landed: Tensor
        self.loss = float("inf")
        self.is_flat = False
        self.optimiser = Adam([self.words.tokens], lr=rate)

    def update(self, landed: "Tensor", wanted: "Tensor") -> None:
        """One step towards words that land on the wanted latent."""
        import torch

        loss = (landed - wanted).square().mean()
        if loss.item() < self.loss:
            self.loss, self.landed = loss.item(), landed.detach()
            self.best = replace(self.words, tokens=self.words.tokens.detach().clone())
        (slope,) = torch.autograd.grad(loss, self.words.tokens)
        self.is_flat = not bool(slope.any())
        self.words.tokens.grad = slope
        self.optimiser.step()


def optimise_prompts(
    source: Source, latents: "list[Tensor]", tuning: OptimisationSettings
) -> "Generator[Tensor, None, list[Conditioning]]":
    """The words of every step on the way down from latents[0], each tuned from those before.

    Yields rounds + 1 clean latents a step, the last one again for every call it saves.
    """
    pair = source.words, source.negative
    words, fixed = pair[::-1] if tuning.is_against else pair
    z, found = latents[0], []
    for i in range(len(latents) - 1):
        here, there = source.levels[i], source.levels[i + 1]
        other = check_finite(source.model.denoiser(fixed))(z, here)
        search = PromptOptimiser(words, tuning.rate(i))
        for _ in range(tuning.rounds + 1):
            if search.loss >= tuning.enough(i) and not search.is_flat:
                seen = check_finite(source.model.denoiser(search.words))(z, here)
                uncond, cond = (seen, other) if tuning.is_against else (other, seen)
                seen = guide_prediction(uncond, cond, source.guidance)
                search.update(seen.at(there), latents[i + 1])
            yield seen.x0.detach()
        words, z = search.best, search.landed
        found.append(words)
    return found
