"""Samplers: generators that walk a latent through levels, one denoiser call or two per step.

Each takes ``(denoise, z, levels)`` and yields a Step after every move, whichever way the levels
lead: down to a picture or up to noise. Sigma below is noise / signal.
"""

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from core.diffusion.model import Denoise, Level, Levels, Prediction, Step

if TYPE_CHECKING:
    from torch import Tensor

Walk = Generator[Step, None, "Tensor"]


class Sampler(Protocol):
    """A walk over levels; ``done`` and ``of`` number its steps inside a longer job."""

    def __call__(
        self, denoise: Denoise, z: "Tensor", levels: Levels, *, done: int = 0, of: int = 0
    ) -> Walk:
        """Yields a Step after every move, returns z at the last level.

        z: (b, c, h, w) float, unbounded.
        """
        ...


def ddim(denoise: Denoise, z: "Tensor", levels: Levels, *, done: int = 0, of: int = 0) -> Walk:
    """DDIM without noise (arXiv 2010.02502): exact in the predicted content and noise.

    z: (b, c, h, w) float, unbounded.
    """
    for i, (here, there) in enumerate(_pairs(levels)):
        prediction = denoise(z, here)
        z = prediction.at(there)
        yield Step(done + i + 1, of or len(levels) - 1, prediction.x0)
    return z


def euler(denoise: Denoise, z: "Tensor", levels: Levels, *, done: int = 0, of: int = 0) -> Walk:
    """Euler's method on the probability flow in sigma (arXiv 2206.00364, first order).

    In the variables z / signal and sigma this is the DDIM move. z: (b, c, h, w) float, unbounded.
    """
    for i, (here, there) in enumerate(_pairs(levels)):
        prediction = denoise(z, here)
        z = _sigma_step(prediction, prediction.eps, here, there)
        yield Step(done + i + 1, of or len(levels) - 1, prediction.x0)
    return z


def heun(denoise: Denoise, z: "Tensor", levels: Levels, *, done: int = 0, of: int = 0) -> Walk:
    """Heun's method (arXiv 2206.00364, algorithm 1 without churn): two calls a step.

    The move to or from a level without noise or without signal stays first order.
    z: (b, c, h, w) float, unbounded.
    """
    for i, (here, there) in enumerate(_pairs(levels)):
        prediction = denoise(z, here)
        guess = _sigma_step(prediction, prediction.eps, here, there)
        if _has_both(here) and _has_both(there):
            ahead = denoise(guess, there)
            guess = _sigma_step(prediction, (prediction.eps + ahead.eps) / 2, here, there)
        z = guess
        yield Step(done + i + 1, of or len(levels) - 1, prediction.x0)
    return z


def dpmpp_2m(denoise: Denoise, z: "Tensor", levels: Levels, *, done: int = 0, of: int = 0) -> Walk:
    """DPM-Solver++(2M) (arXiv 2211.01095, algorithm 2): second order, one call a step.

    z: (b, c, h, w) float, unbounded.
    """
    import math

    before: tuple[Prediction, float] | None = None
    for i, (here, there) in enumerate(_pairs(levels)):
        prediction = denoise(z, here)
        content, step = prediction.x0, 0.0
        if _has_both(here) and _has_both(there):
            step = math.log(_sigma(here) / _sigma(there))
            if before is not None and before[1] and step:
                ratio = before[1] / step
                content = prediction.x0 + (prediction.x0 - before[0].x0) / (2 * ratio)
            shrink = there.noise / here.noise
            z = shrink * z - there.signal * math.expm1(-step) * content
        else:
            z = prediction.at(there)
        before = (prediction, step)
        yield Step(done + i + 1, of or len(levels) - 1, prediction.x0)
    return z


def _pairs(levels: Levels) -> list[tuple[Level, Level]]:
    return list(zip(levels, levels[1:], strict=False))


def _sigma(level: Level) -> float:
    return level.noise / level.signal


def _has_both(level: Level) -> bool:
    return level.signal > 1e-6 and level.noise > 1e-6


def _sigma_step(prediction: Prediction, slope: "Tensor", here: Level, there: Level) -> "Tensor":
    """The latent at another level when z / signal of the prediction follows a slope in sigma."""
    moved = there.mix(prediction.x0, slope)
    if slope is prediction.eps or not _has_both(here):
        return moved
    return moved + there.signal * _sigma(here) * (prediction.eps - slope)


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {"ddim": ddim, "dpm++2m": dpmpp_2m, "euler": euler, "heun": heun}
)
