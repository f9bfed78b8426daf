"""BDIA: each step starts from the latent before, so that it can be solved backwards."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Prediction
from core.editing.inversion import Inversion, Source
from core.editing.two_step_inversion import LevelTriple, two_step_invert

if TYPE_CHECKING:
    from torch import Tensor

GAMMA = 1.0
"""The weight of the latent before.

The authors recommend 0.92 to 1 for edits; their script runs 1, 0.96 and 0.93. Their functions'
defaults, 0.94 and 0.5, make rounding errors grow during the inversion; with 1 they do not.
"""


@inverters.register
class Bdia:
    """Give the picture back exactly at the price of DDIM (BDIA, arXiv 2307.10829).

    The inversion uses the guidance of the edit, on which the exactness depends. An edit takes over
    both first latents, so its prompt acts from the second step on.
    """

    id: ClassVar[str] = "bdia"
    label: ClassVar[str] = "BDIA"
    paper: ClassVar[Paper | None] = Paper("BDIA", "2307.10829")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        return (yield from two_step_invert(source, step_up, step_down))


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
