"""Stochastic moves between levels: the DDIM step with noise in it (arXiv 2010.02502, eta)."""

import math
from typing import TYPE_CHECKING

from core.diffusion.model import Level, Prediction

if TYPE_CHECKING:
    from torch import Tensor


def step_sigma(here: Level, there: Level, eta: float = 1.0) -> float:
    """How much fresh noise the move to a cleaner level takes; with eta 1 it is DDPM's own.

    Said by noise against signal, so that it holds for straight flows too.
    """
    if here.noise <= 0 or there.signal <= 0:
        return 0.0
    ratio = there.noise * here.signal / (here.noise * there.signal)
    return eta * there.noise * math.sqrt(max(0.0, 1 - ratio * ratio))


def step_mean(seen: Prediction, here: Level, there: Level, eta: float = 1.0) -> "Tensor":
    """Where the move leads before the fresh noise is added."""
    fresh = step_sigma(here, there, eta)
    return there.signal * seen.x0 + math.sqrt(max(0.0, there.noise**2 - fresh**2)) * seen.eps
