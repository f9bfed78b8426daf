"""ReNoise: every inversion step is repeated, its noises are averaged and made like true noise."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Denoise, Level
from core.editing.implicit_inversion import ddim_move
from core.editing.inversion import DirectPath, Inversion, Source
from core.editing.noise_regularisation import correlation, divergence, loss_gradient

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

FEW_STEPS = 10
"""Up to so many steps a walk is treated as published for few-step models."""
ROUNDS_OF_FEW, ROUNDS_OF_MANY, ROUNDS_AT_LOW_NOISE = 9, 1, 5
LOW_NOISE = 0.57
"""Below this noise other rounds are averaged: time 250 of 1000 in Stable Diffusion."""
AVERAGED_AT_LOW_NOISE, AVERAGED = range(5), range(8, 10)
REGULARISED, ROLLS = 4, 5
CORRELATION_RATE, DIVERGENCE_RATE, MAX_SLOPE = 20.0, 0.065, 100.0


@inverters.register
class ReNoise:
    """Trace the picture back closely in few steps (ReNoise, arXiv 2403.14602).

    As published the inversion is not guided, so the source is put back on its path at every step.
    Correlations are measured at shifts taken in turn, not drawn.
    """

    id: ClassVar[str] = "renoise"
    label: ClassVar[str] = "ReNoise"
    paper: ClassVar[Paper | None] = Paper("ReNoise", "2403.14602")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps * (1 + rounds_of(steps))

    def run(self, source: Source) -> Inversion:
        denoise, z = source.denoiser(), source.x0
        noise = source.noise("renoise", 0)
        rounds = rounds_of(len(source.levels) - 1)
        latents = [z]
        for i in source.inversion_order:
            high, low = source.levels[i], source.levels[i + 1]
            z = yield from renoise_step(denoise, z, low, high, high.mix(source.x0, noise), rounds)
            latents.append(z)
        return DirectPath(source.levels, latents[::-1])


def rounds_of(steps: int) -> int:
    """How often every step is repeated on a walk of so many steps."""
    return ROUNDS_OF_FEW if steps <= FEW_STEPS else ROUNDS_OF_MANY


def renoise_step(
    denoise: Denoise, z: "Tensor", low: Level, high: Level, noised: "Tensor", rounds: int
) -> "Generator[Tensor, None, Tensor]":
    """From z at ``low`` to ``high``; ``noised`` is the picture with true noise at ``high``.

    z, noised: (1, c, h, w) float, unbounded. Yields the clean latent of every call and returns the
    noisier latent, all of the same shape and dtype.
    """
    import torch

    late = high.noise < LOW_NOISE
    averaged = AVERAGED_AT_LOW_NOISE if late else AVERAGED
    last = min(rounds, ROUNDS_AT_LOW_NOISE) if late else rounds
    like = denoise(noised, high).eps if last >= averaged.start else None
    prediction, guess = denoise(z, low, high), z
    total: list[Tensor] = []
    for n in range(rounds + 1):
        if n <= last:
            prediction = denoise(guess, high) if n else prediction
            eps = prediction.eps
            total += [eps] if n in averaged else []
            if like is not None and n >= averaged.start:
                eps = regularise_noise(eps, like)
            guess = ddim_move(z, eps, low, high)
        yield prediction.x0
    if total and like is not None:
        guess = ddim_move(z, regularise_noise(torch.stack(total).mean(0), like), low, high)
    return guess


def regularise_noise(eps: "Tensor", like: "Tensor") -> "Tensor":
    """Noise with patches more like those of other noise, and less correlated.

    eps, like: (1, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    for n in range(REGULARISED):
        slope = loss_gradient(eps, lambda e: divergence(e, like))
        eps = eps - DIVERGENCE_RATE * slope.clamp(-MAX_SLOPE, MAX_SLOPE)
        for roll in range(n * ROLLS, (n + 1) * ROLLS):
            eps = eps - CORRELATION_RATE / ROLLS * loss_gradient(
                eps, partial(correlation, roll=roll)
            )
    return eps
