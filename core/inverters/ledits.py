"""LEDITS++ inversion: noise maps of a second-order stochastic solver."""

import math
from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Denoise, Levels, Prediction
from core.editing.inversion import Inversion, PathState, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor


@inverters.register
class LeditsInversion:
    """Give the picture back exactly in few, noisy steps (LEDITS++, arXiv 2311.16711).

    Every level gets an independently noised picture; the difference between it and a step of
    SDE-DPM-Solver++(2M) is kept as the step's noise. The inversion uses the guidance of the edit.
    """

    id: ClassVar[str] = "ledits++"
    label: ClassVar[str] = "LEDITS++ noise maps"
    paper: ClassVar[Paper | None] = Paper("LEDITS++", "2311.16711")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        denoise, levels = source.denoiser(source.guidance), source.levels
        z = first = levels[0].mix(source.x0, source.noise("map", 0))
        maps: list[Tensor] = []
        before: Tensor | None = None
        for i in range(len(levels) - 1):
            prediction = denoise(z, levels[i])
            wanted = _noised_latent(source, i + 1)
            expected = step_mean(z, prediction, before, levels, i)
            maps.append(wanted - expected)
            z, before = expected + maps[-1], prediction.x0
            yield prediction.x0
        return LeditsPath(levels, first, maps)


def _noised_latent(source: Source, i: int) -> "Tensor":
    """The picture at a level; the cleanest is the picture itself."""
    if i == len(source.levels) - 1:
        return source.x0
    return source.levels[i].mix(source.x0, source.noise("map", i))


class LeditsPath(ReplayPath):
    """A path of noise maps; the state is a latent and the clean latent predicted before it."""

    def __init__(self, levels: Levels, first: "Tensor", maps: "list[Tensor]") -> None:
        super().__init__(levels, [first])
        self.maps = maps

    def begin(self, branches: int) -> PathState:
        z = self.latents[0].repeat(branches, 1, 1, 1)
        return (z, z)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        z, before = state
        prediction = denoise(z, self.levels[i])
        after = step_mean(z, prediction, before if i else None, self.levels, i) + self.maps[i]
        return (after, prediction.x0), prediction.x0


def step_mean(
    z: "Tensor", prediction: Prediction, before: "Tensor | None", levels: Levels, i: int
) -> "Tensor":
    """SDE-DPM-Solver++(2M) without its noise; of first order first and at a level without noise.

    z: (b, c, h, w) float, unbounded; before: like it, the clean latent predicted at the level
    before. Returns the same shape and dtype.
    """
    here, there = levels[i], levels[i + 1]
    if there.noise <= 0:
        return there.signal * prediction.x0
    step = _log_ratio(levels, i + 1) - _log_ratio(levels, i)
    content = prediction.x0
    if before is not None:
        ratio = (_log_ratio(levels, i) - _log_ratio(levels, i - 1)) / step
        content = content + (prediction.x0 - before) / (2 * ratio)
    kept = there.noise / here.noise * math.exp(-step)
    return kept * z - there.signal * math.expm1(-2 * step) * content


def _log_ratio(levels: Levels, i: int) -> float:
    """The logarithm of signal to noise, minus infinity at pure noise."""
    signal, noise = levels[i].signal, levels[i].noise
    return math.log(signal / noise) if signal > 0 else -math.inf
