"""Embeddings optimised until guided steps stay on the path, for null-text and prompt tuning."""

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
    """How embeddings are optimised: Adam's rate and the mean square that is near enough, by step.

    ``is_negative`` says that those of the negative prompt are optimised, not those of the prompt.
    """

    rounds: int
    rate: Callable[[int], float]
    enough: Callable[[int], float]
    is_negative: bool


class PromptOptimiser:
    """Embeddings under Adam; ``best`` are those whose step came nearest, to ``reached``."""

    def __init__(self, embeddings: Conditioning, rate: float) -> None:
        from torch.optim import Adam

        self.embeddings = replace(
            embeddings, tokens=embeddings.tokens.detach().clone().requires_grad_()
        )
        self.best = embeddings
        self.reached: Tensor
        self.loss = float("inf")
        self.is_flat = False
        self.optimiser = Adam([self.embeddings.tokens], lr=rate)

    def update(self, reached: "Tensor", wanted: "Tensor") -> None:
        """One step to embeddings that reach the latent wanted, (1, c, h, w) float, unbounded."""
        import torch

        loss = (reached - wanted).square().mean()
        if loss.item() < self.loss:
            self.loss, self.reached = loss.item(), reached.detach()
            self.best = replace(self.embeddings, tokens=self.embeddings.tokens.detach().clone())
        (slope,) = torch.autograd.grad(loss, self.embeddings.tokens)
        self.is_flat = not bool(slope.any())
        self.embeddings.tokens.grad = slope
        self.optimiser.step()


def optimise_prompts(
    source: Source, latents: "list[Tensor]", tuning: OptimisationSettings
) -> "Generator[Tensor, None, list[Conditioning]]":
    """The embeddings of every step on the way down from latents[0], each starting from the last.

    Yields rounds + 1 clean latents a step, the last one again for every call it saves. Latents are
    (1, c, h, w) float, unbounded.
    """
    pair = source.embeddings, source.negative
    embeddings, fixed = pair[::-1] if tuning.is_negative else pair
    z, found = latents[0], []
    for i in range(len(latents) - 1):
        here, there = source.levels[i], source.levels[i + 1]
        other = check_finite(source.model.denoiser(fixed))(z, here)
        search = PromptOptimiser(embeddings, tuning.rate(i))
        for _ in range(tuning.rounds + 1):
            if search.loss >= tuning.enough(i) and not search.is_flat:
                prediction = check_finite(source.model.denoiser(search.embeddings))(z, here)
                uncond, cond = (prediction, other) if tuning.is_negative else (other, prediction)
                prediction = guide_prediction(uncond, cond, source.guidance)
                search.update(prediction.at(there), latents[i + 1])
            yield prediction.x0.detach()
        embeddings, z = search.best, search.reached
        found.append(embeddings)
    return found
