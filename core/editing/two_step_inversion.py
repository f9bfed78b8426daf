"""Two-step paths: each latent follows exactly from the two before it, whichever way one walks.

The network is called once for the latent between a noisier and a cleaner one; a rule computes
either neighbour from the other. The first move of an inversion has one neighbour only and is plain
DDIM. A walk down begins with the two noisiest latents of the inversion, the same for every branch,
as in the authors' code for both rules: an edit departs from the source at its second step.
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


def two_step_invert(
    source: Source, up: TwoStepRule, down: TwoStepRule
) -> "Generator[Tensor, None, TwoStepPath]":
    """The path through the latents that the rule up leads to, walked by the rule down.

    Yields the clean latents predicted, (1, c, h, w) float, unbounded.
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
    return TwoStepPath(levels, latents[:-3:-1], prediction.x0, down)


class TwoStepPath(ReplayPath):
    """A path of two neighbouring latents: the level before and the level reached.

    ``seen`` is the clean latent predicted at the second level, (1, c, h, w) float, unbounded.
    """

    def __init__(
        self, levels: Levels, latents: "list[Tensor]", seen: "Tensor", down: TwoStepRule
    ) -> None:
        super().__init__(levels, latents)
        self.seen = seen
        self.down = down

    def begin(self, branches: int) -> PathState:
        return tuple(z.repeat(branches, 1, 1, 1) for z in self.latents)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        before, z = state
        if i == 0:
            return state, self.seen.repeat(len(z), 1, 1, 1)
        prediction = denoise(z, self.levels[i])
        after = self.down(before, z, prediction, LevelTriple(*self.levels[i - 1 : i + 2]))
        return (z, after), prediction.x0

    def latent(self, state: PathState) -> "Tensor":
        return state[1]
