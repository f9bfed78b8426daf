"""Residual compositing: adds only what the edit changed, so that the codec's loss does not show."""

import math

import numpy as np
import numpy.typing as npt

from core.ai.recipe_values import value_of
from core.params import Depth, Strength
from core.task import Recipe

Floats = npt.NDArray[np.float32]

PLAIN_FROM, PLAIN_AT = 0.4, 0.8
"""Amounts of change between which the picture goes from the added residual to the plain result."""


def edit_amount(recipe: Recipe) -> float:
    """How much an edit may change, 0..1: its strength, less where it starts near the end."""
    return _share(value_of(recipe, Strength)) * _share(value_of(recipe, Depth))


def _share(value: object) -> float:
    """A value as 0..1; what is no number counts as 1, and is refused when the edit runs."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return 1.0
    return min(1.0, max(0.0, float(value)))


def is_plain(amount: float) -> bool:
    """Whether the result alone is shown, so that no round trip is needed."""
    return amount >= PLAIN_AT


def add_residual(original: Floats, result: Floats, round_trip: Floats, amount: float) -> Floats:
    """Return the picture to show inside the mask; all are height x width x 3 float32 in 0..1.

    With x the original, y the result and V(x) the original after encode and decode, this is
    x + (y - V(x)) for small amounts and y for large ones. So fine detail that the codec drops
    comes from the original, as long as the result still holds some of it.
    """
    share = np.clip((amount - PLAIN_FROM) / (PLAIN_AT - PLAIN_FROM), 0, 1)
    plain = np.float32(share * share * (3 - 2 * share))
    sum_ = original + (result - round_trip)
    return np.asarray((sum_ + plain * (result - sum_)).clip(0, 1), np.float32)
