"""CycleDiffusion's DPM-Encoder: noise maps along one likely path of the picture to noise."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.model import Prediction
from core.editing.inversion import Inversion, Source
from core.editing.noise_maps import record_noise_maps

if TYPE_CHECKING:
    from torch import Tensor

ETA = 0.1
"""How much of DDPM's noise each step takes, as published."""


@inverters.register
class CycleDiffusion:
    """Draw one way to noise and keep what the model misses (CycleDiffusion, arXiv 2210.05559).

    The noise maps are nearly plain noise, so an edit is freer than an edit-friendly one. The
    inversion uses the guidance of the source; another seed gives another edit.
    """

    id: ClassVar[str] = "cyclediffusion"
    label: ClassVar[str] = "CycleDiffusion"
    paper: ClassVar[Paper | None] = Paper("CycleDiffusion", "2210.05559")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        first = source.levels[0].mix(source.x0, source.noise("noising", 0))
        return (
            yield from record_noise_maps(
                source, first, lambda i, z: sample_posterior(source, i, z), ETA
            )
        )


def sample_posterior(source: Source, i: int, z: "Tensor") -> "Tensor":
    """Draw the latent at level i from the posterior, given the picture and z at the level before.

    z: (1, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    here, there = source.levels[i - 1], source.levels[i]
    known = Prediction(source.x0, (z - here.signal * source.x0) / here.noise)
    fresh = step_sigma(here, there, ETA) * source.noise("noising", i)
    return step_mean(known, here, there, ETA) + fresh
