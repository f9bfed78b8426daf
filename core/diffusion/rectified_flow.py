"""Any model seen as a rectified flow: straight paths from content to noise, and their velocity.

With t = noise / (signal + noise) and x = z / (signal + noise) every latent is
``x = (1 - t) * x0 + t * eps``, whatever schedule the model was trained on, and the probability
flow is ``dx / dt = eps - x0``. Methods written for flow models run on these.
"""

from bisect import bisect_right
from typing import TYPE_CHECKING

from core.diffusion.model import Denoise, Level, Levels, Model

if TYPE_CHECKING:
    from torch import Tensor

INTERPOLATION_STEPS = 200
"""Steps of the walk whose levels are the known ones between which others are interpolated."""
STRAIGHT = 1e-5
"""How far signal and noise of a rectified flow may be from adding up to 1, by rounding."""


def scale_of(level: Level) -> float:
    """How much larger a model's latent is than the flow's."""
    return level.signal + level.noise


def time_of(level: Level) -> float:
    """0 for a clean latent, 1 for pure noise."""
    return level.noise / scale_of(level)


def is_rectified_flow(levels: Levels) -> bool:
    """Whether latents at these levels lie on straight paths, so that the model is a flow itself."""
    inner = [level for level in levels if level.signal > 0 and level.noise > 0]
    return bool(inner) and all(abs(scale_of(level) - 1) < STRAIGHT for level in inner)


class Flow:
    """A model's levels by flow time; ``times`` are those of a walk, in the walk's order."""

    def __init__(self, model: Model, levels: Levels) -> None:
        known = {time_of(level): level for level in (*model.levels(INTERPOLATION_STEPS), *levels)}
        self.times = tuple(time_of(level) for level in levels)
        self._knots = sorted(known)
        self._levels = [known[time] for time in self._knots]
        noisy = next(time for time in self._knots if time > 0)
        self._least = 0.0 if is_rectified_flow(tuple(self._levels)) else noisy

    def level(self, time: float) -> Level:
        """The model's level at any time; between its own ones scale and label are interpolated."""
        after = min(max(bisect_right(self._knots, time), 1), len(self._knots) - 1)
        before = after - 1
        left, right = self._levels[before], self._levels[after]
        share = (time - self._knots[before]) / (self._knots[after] - self._knots[before])
        scale = scale_of(left) + share * (scale_of(right) - scale_of(left))
        label = left.time + share * (right.time - left.time)
        return Level((1 - time) * scale, time * scale, label)

    def velocity(self, denoise: Denoise, x: "Tensor", time: float) -> "Tensor":
        """The velocity at x as time grows: noise less content.

        x: (b, c, h, w) float, unbounded; returns the same shape. A rectified flow is told every
        time as it is, 0 too. Of other models a clean latent is evaluated at the cleanest noisy
        level: they have not learned to find noise in a clean picture.
        """
        level = self.level(max(time, self._least))
        prediction = denoise(x * scale_of(level), level)
        return prediction.eps - prediction.x0

    def to_model_latent(self, x: "Tensor", time: float) -> "Tensor":
        """The model's own latent of the flow's, (b, c, h, w) float, unbounded."""
        return x * scale_of(self.level(time))

    def from_model_latent(self, z: "Tensor", time: float) -> "Tensor":
        """The flow's latent of the model's own, (b, c, h, w) float, unbounded."""
        return z / scale_of(self.level(time))
