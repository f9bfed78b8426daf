"""Fixed-point inversion: every step up is repeated until its own step down leads back."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.editing.implicit_inversion import ddim_move
from core.editing.inversion import Inversion, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor

ROUNDS = 5
"""Repetitions of a step; its mismatch shrinks geometrically where the step contracts."""


@inverters.register
class FixedPointInversion:
    """Trace the picture back closely, six calls a step (Fixed-point Inversion, arXiv 2312.12540).

    The inversion uses the guidance of the edit. Where the iteration diverges, as it may at high
    guidance, the best latent so far is kept.
    """

    id: ClassVar[str] = "fixed-point"
    label: ClassVar[str] = "Fixed-point inversion"
    paper: ClassVar[Paper | None] = Paper("Fixed-point Inversion", "2312.12540")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps * (1 + ROUNDS)

    def run(self, source: Source) -> Inversion:
        denoise, z = source.denoiser(source.guidance), source.x0
        latents = [z]
        for i in source.inversion_order:
            high, low = source.levels[i], source.levels[i + 1]
            prediction = denoise(z, low, high)
            search = BestIterate(ddim_move(z, prediction.eps, low, high))
            yield prediction.x0
            for _ in range(ROUNDS):
                prediction = denoise(search.guess, high)
                search.offer(ddim_move(z, prediction.eps, low, high))
                yield prediction.x0
            z = search.best
            latents.append(z)
        return ReplayPath(source.levels, latents[::-1])


class BestIterate:
    """Guesses at a fixed point, and the best: the one that differs least from the guess before."""

    def __init__(self, guess: "Tensor") -> None:
        self.guess = self.best = guess
        self.change = float("inf")

    def offer(self, guess: "Tensor") -> None:
        """Take the guess that follows from the last one, (1, c, h, w) float, unbounded."""
        change = float((guess - self.guess).square().mean())
        if change < self.change:
            self.best, self.change = guess, change
        self.guess = guess
