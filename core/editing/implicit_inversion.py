"""An inversion step as an equation: the noisier latent whose own DDIM step leads to the cleaner."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.diffusion.model import Level
from core.editing.inversion import Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

Correct = Callable[["Tensor"], "Tensor"]
"""What an inversion does to the noise that it sees."""

LEARNING_RATE, CONVERGED_LOSS = 1e-3, 5e-6
"""AdamW's rate and the mean square at which a search ends, as published for SPDInv."""


def ddim_move(z: "Tensor", eps: "Tensor", here: Level, there: Level) -> "Tensor":
    """The DDIM move of z between two levels by a noise seen elsewhere."""
    return there.mix((z - here.noise * eps) / here.signal, eps)


def no_correction(eps: "Tensor") -> "Tensor":
    return eps


def search_fixed_points(
    source: Source, rounds: int, correct: Correct = no_correction
) -> "Generator[Tensor, None, list[Tensor]]":
    """Latents by level index, each drawn by gradients towards its fixed point.

    Yields the clean latent seen after every network call, and again for every call it saves.
    """
    denoise, z = source.denoiser(), source.x0
    latents = [z]
    for i in source.inversion_order:
        high, low = source.levels[i], source.levels[i + 1]
        seen = denoise(z, low, high)
        yield seen.x0
        search = FixedPointSearch(ddim_move(z, seen.eps, low, high))
        for _ in range(rounds):
            if not search.is_over:
                seen = denoise(search.guess, high)
                search.update(ddim_move(z, correct(seen.eps), low, high))
            yield seen.x0.detach()
        z = search.best
        latents.append(z)
    return latents[::-1]


class FixedPointSearch:
    """A latent under AdamW; ``best`` is the one nearest to what its own noise makes of it."""

    def __init__(self, start: "Tensor") -> None:
        from torch.optim import AdamW

        self.guess = start.detach().clone().requires_grad_()
        self.best = start.detach()
        self.loss = float("inf")
        self.is_over = False
        self.optimiser = AdamW([self.guess], lr=LEARNING_RATE)

    def update(self, meant: "Tensor") -> None:
        """One step nearer to what the guess's noise means it to be."""
        import torch

        loss = (self.guess - meant).square().mean()
        if loss.item() < self.loss:
            self.best, self.loss = self.guess.detach().clone(), loss.item()
        (self.guess.grad,) = torch.autograd.grad(loss, self.guess)
        self.optimiser.step()
        self.is_over = self.loss < CONVERGED_LOSS
