"""BDIA: each step starts from the latent before, so that it can be solved backwards."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Prediction
from core.editing.inversion import Inversion, Source
from core.editing.two_step_inversion import LevelTriple, TwoStepPath, two_step_invert

if TYPE_CHECKING:
    from torch import Tensor

GAMMA = 1.0
"""The weight of the latent before, as published for editing.

Below 0.96 rounding errors grow during the inversion.
"""


@inverters.register
class Bdia:
    """Give the picture back exactly at the price of DDIM (BDIA, arXiv 2307.10829).

    Traced back with the guidance of the edit, on which the exactness depends.
    """

    id: ClassVar[str] = "bdia"
    label: ClassVar[str] = "BDIA"
    paper: ClassVar[Paper | None] = Paper("BDIA", "2307.10829")
    needs: ClassVar[frozenset[str]] = frozenset()

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from two_step_invert(source, step_up)
        return TwoStepPath(source.levels, latents, step_down)


def step_down(
    noisier: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The cleaner latent, from the noisier one and the prediction for z between them.

    noisier, z: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    return GAMMA * (noisier - prediction.at(around.noisier)) + prediction.at(around.cleaner)


def step_up(
    cleaner: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The noisier latent, from the cleaner one and the prediction for z between them.

    cleaner, z: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    return (cleaner - prediction.at(around.cleaner)) / GAMMA + prediction.at(around.noisier)
