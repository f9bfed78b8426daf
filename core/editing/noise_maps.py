"""Paths of noise maps: the differences between stochastic steps and the latents wanted are kept.

An edit takes the same steps with the same maps, so it differs from the source by its prompt alone.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.diffusion.eta_step import step_mean
from core.diffusion.model import Denoise, Levels
from core.editing.inversion import PathState, ReplayPath, Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

WantedLatent = Callable[[int, "Tensor"], "Tensor"]
"""(level index, latent at the noisier level before) to the latent wanted there."""


class NoiseMapPath(ReplayPath):
    """A path down from one latent, every branch with the same map at every step.

    ``maps`` hold each step's noise times its spread, so that a step without spread has one too.
    """

    def __init__(
        self, levels: Levels, first: "Tensor", maps: "list[Tensor]", eta: float = 1.0
    ) -> None:
        super().__init__(levels, [first])
        self.maps = maps
        self.eta = eta

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        here, there = self.levels[i], self.levels[i + 1]
        prediction = denoise(state[0], here)
        return (step_mean(prediction, here, there, self.eta) + self.maps[i],), prediction.x0


def record_noise_maps(
    source: Source, first: "Tensor", wanted: WantedLatent, eta: float = 1.0
) -> "Generator[Tensor, None, NoiseMapPath]":
    """The path through the latents wanted, the last of which is the picture's own.

    first: the noisiest latent, (1, c, h, w) float, unbounded. Yields the clean latents predicted.
    """
    denoise, levels, z = source.denoiser(source.guidance), source.levels, first
    maps: list[Tensor] = []
    for i in range(len(levels) - 1):
        prediction = denoise(z, levels[i])
        expected = step_mean(prediction, levels[i], levels[i + 1], eta)
        target = source.x0 if i == len(levels) - 2 else wanted(i + 1, z)
        maps.append(target - expected)
        # Not the latent wanted: an edit adds up the same two and must round alike.
        z = expected + maps[-1]
        yield prediction.x0
    return NoiseMapPath(levels, first, maps, eta)
