"""Two-step paths: each latent follows exactly from the two before it, whichever way one walks.

The network is called once for the latent between a noisier and a cleaner one; a rule computes
either neighbour from the other. The first move of a walk has one neighbour only and is plain DDIM.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from core.diffusion.model import Denoise, Level, Levels, Prediction
from core.editing.inversion import PathState, ReplayPath, Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor


class LevelTriple(NamedTuple):
    """Three levels in a row: the noisier, that of the latent between, the cleaner."""

    noisier: Level
    here: Level
    cleaner: Level


TwoStepRule = Callable[["Tensor", "Tensor", Prediction, LevelTriple], "Tensor"]
"""(latent on one side, latent between, its prediction, levels) to the latent on the other side."""


def two_step_invert(source: Source, up: TwoStepRule) -> "Generator[Tensor, None, list[Tensor]]":
    """The latents by level index; exact but for the first, plain, move.

    Yields the clean latents predicted; all are (1, c, h, w) float, unbounded.
    """
    denoise, levels = source.denoiser(source.guidance), source.levels
    latents = [source.x0]
    for i in source.inversion_order:
        if len(latents) == 1:
            prediction = denoise(source.x0, levels[i + 1], levels[i])
            latents.append(prediction.at(levels[i]))
        else:
            prediction = denoise(latents[-1], levels[i + 1])
            latents.append(
                up(latents[-2], latents[-1], prediction, LevelTriple(*levels[i : i + 3]))
            )
        yield prediction.x0
    return latents[::-1]


class TwoStepPath(ReplayPath):
    """A path of two neighbouring latents: the level before and the level reached."""

    def __init__(self, levels: Levels, latents: "list[Tensor]", down: TwoStepRule) -> None:
        super().__init__(levels, latents[:2])
        self.down = down

    def begin(self, branches: int) -> PathState:
        z = self.latents[0].repeat(branches, 1, 1, 1)
        return (z, z)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        before, z = state
        prediction = denoise(z, self.levels[i])
        if i == 0:
            return (z, self._first_step(prediction.at(self.levels[1]))), prediction.x0
        after = self.down(before, z, prediction, LevelTriple(*self.levels[i - 1 : i + 2]))
        return (z, after), prediction.x0

    def _first_step(self, z: "Tensor") -> "Tensor":
        """Every branch is off by as much as the source, which comes back exactly."""
        return z + (self.latents[1] - z[:1])

    def latent(self, state: PathState) -> "Tensor":
        return state[1]
