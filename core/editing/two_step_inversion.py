"""Paths by leaps: each latent follows exactly from its two neighbours, whichever way one walks.

A latent between a noisier and a cleaner one is seen once; a rule makes either neighbour out of
the other. The first move of a walk has no neighbour to leap from and is plain DDIM.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from core.diffusion.model import Denoise, Level, Levels, Prediction
from core.editing.inversion import PathState, ReplayPath, Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor


class LevelTriple(NamedTuple):
    """Three levels in a row: the noisier, the one seen, the cleaner."""

    noisier: Level
    here: Level
    cleaner: Level


TwoStepRule = Callable[["Tensor", "Tensor", Prediction, LevelTriple], "Tensor"]
"""(latent on one side, latent seen, what is seen in it, levels) to the latent on the other side."""


def two_step_invert(source: Source, up: TwoStepRule) -> "Generator[Tensor, None, list[Tensor]]":
    """The latents by level index; exact but for the first, plain, move."""
    denoise, levels = source.denoiser(source.guidance), source.levels
    latents = [source.x0]
    for i in source.inversion_order:
        if len(latents) == 1:
            seen = denoise(source.x0, levels[i + 1], levels[i])
            latents.append(seen.at(levels[i]))
        else:
            seen = denoise(latents[-1], levels[i + 1])
            latents.append(up(latents[-2], latents[-1], seen, LevelTriple(*levels[i : i + 3])))
        yield seen.x0
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
        seen = denoise(z, self.levels[i])
        if i == 0:
            return (z, self._first_step(seen.at(self.levels[1]))), seen.x0
        after = self.down(before, z, seen, LevelTriple(*self.levels[i - 1 : i + 2]))
        return (z, after), seen.x0

    def _first_step(self, z: "Tensor") -> "Tensor":
        """Every branch is off by as much as the source, which comes back exactly."""
        return z + (self.latents[1] - z[:1])

    def latent(self, state: PathState) -> "Tensor":
        return state[1]
