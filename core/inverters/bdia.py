"""BDIA: each step leaps from the latent before, so that it can be solved backwards."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import inverters
from core.diffusion.model import Prediction
from core.editing.inversion import Inversion, Source
from core.editing.two_step_inversion import LevelTriple, TwoStepPath, two_step_invert

if TYPE_CHECKING:
    from torch import Tensor

GAMMA = 1.0
"""How much of the leap is taken, as published for editing; below 0.96 rounding grows upwards."""


@inverters.register
class Bdia:
    """Give the picture back exactly at the price of DDIM (BDIA, arXiv 2307.10829).

    Traced back with the guidance of the edit, on which the exactness depends.
    """

    id: ClassVar[str] = "bdia"
    label: ClassVar[str] = "BDIA"
    needs: ClassVar[frozenset[str]] = frozenset()

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from two_step_invert(source, step_up)
        return TwoStepPath(source.levels, latents, step_down)


def step_down(
    noisier: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The cleaner latent."""
    return GAMMA * (noisier - prediction.at(around.noisier)) + prediction.at(around.cleaner)


def step_up(
    cleaner: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The noisier latent."""
    return (cleaner - prediction.at(around.cleaner)) / GAMMA + prediction.at(around.noisier)
