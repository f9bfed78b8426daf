"""An inversion step as an equation: the noisier latent whose own DDIM step leads to the cleaner."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.diffusion.model import Level
from core.editing.inversion import Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

Correct = Callable[["Tensor"], "Tensor"]
"""What an inversion does to the predicted noise."""

LEARNING_RATE, CONVERGED_LOSS = 1e-3, 5e-6
"""AdamW's rate and the mean square at which a search ends, as published for SPDInv."""


def ddim_move(z: "Tensor", eps: "Tensor", here: Level, there: Level) -> "Tensor":
    """The DDIM move of z between two levels by a noise predicted elsewhere.

    z, eps: (b, c, h, w) float, unbounded; returns the same.
    """
    return there.mix((z - here.noise * eps) / here.signal, eps)


def no_correction(eps: "Tensor") -> "Tensor":
    """The noise as it is, (b, c, h, w) float, unbounded."""
    return eps


def search_fixed_points(
    source: Source, rounds: int, correct: Correct = no_correction
) -> "Generator[Tensor, None, list[Tensor]]":
    """Latents by level index, each moved by gradients to its fixed point.

    Yields the clean latent predicted by every network call, and again for every call it saves:
    (1, c, h, w) float, unbounded, as the latents that it returns.
    """
    denoise, z = source.denoiser(), source.x0
    latents = [z]
    for i in source.inversion_order:
        high, low = source.levels[i], source.levels[i + 1]
        prediction = denoise(z, low, high)
        yield prediction.x0
        search = FixedPointSearch(ddim_move(z, prediction.eps, low, high))
        for _ in range(rounds):
            if not search.is_over:
                prediction = denoise(search.guess, high)
                search.update(ddim_move(z, correct(prediction.eps), low, high))
            yield prediction.x0.detach()
        z = search.best
        latents.append(z)
    return latents[::-1]


class FixedPointSearch:
    """A latent under AdamW; ``best`` is the one with the least distance to its own next guess."""

    def __init__(self, start: "Tensor") -> None:
        from torch.optim import AdamW

        self.guess = start.detach().clone().requires_grad_()
        self.best = start.detach()
        self.loss = float("inf")
        self.is_over = False
        self.optimiser = AdamW([self.guess], lr=LEARNING_RATE)

    def update(self, wanted: "Tensor") -> None:
        """One step nearer to the latent wanted, (1, c, h, w) float, unbounded."""
        import torch

        loss = (self.guess - wanted).square().mean()
        if loss.item() < self.loss:
            self.best, self.loss = self.guess.detach().clone(), loss.item()
        (self.guess.grad,) = torch.autograd.grad(loss, self.guess)
        self.optimiser.step()
        self.is_over = self.loss < CONVERGED_LOSS
