"""Stochastic moves between levels: the DDIM step with noise in it (arXiv 2010.02502, eta)."""

import math
from typing import TYPE_CHECKING

from core.diffusion.model import Level, Prediction

if TYPE_CHECKING:
    from torch import Tensor


def step_sigma(here: Level, there: Level, eta: float = 1.0) -> float:
    """How much fresh noise the move to a cleaner level takes; with eta 1 it is DDPM's own.

    It depends on the ratio of noise to signal, so that it holds for rectified flows too.
    """
    if here.noise <= 0 or there.signal <= 0:
        return 0.0
    ratio = there.noise * here.signal / (here.noise * there.signal)
    return eta * there.noise * math.sqrt(max(0.0, 1 - ratio * ratio))


def step_mean(prediction: Prediction, here: Level, there: Level, eta: float = 1.0) -> "Tensor":
    """The latent to which the move leads before the fresh noise is added.

    Like the prediction (b, c, h, w) float, unbounded.
    """
    fresh = step_sigma(here, there, eta)
    kept = math.sqrt(max(0.0, there.noise**2 - fresh**2))
    return there.signal * prediction.x0 + kept * prediction.eps
