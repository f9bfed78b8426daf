"""O-BELM: a two-step rule for uneven levels; its weights cancel the error up to second order."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Prediction
from core.editing.inversion import Inversion, Source
from core.editing.two_step_inversion import LevelTriple, two_step_invert

if TYPE_CHECKING:
    from torch import Tensor


@inverters.register
class Belm:
    """Give the picture back exactly, by the most accurate rule (O-BELM, arXiv 2410.07273).

    The inversion uses the guidance of the edit, on which the exactness depends. An edit takes over
    both first latents, so its prompt acts from the second step on.
    """

    id: ClassVar[str] = "belm"
    label: ClassVar[str] = "O-BELM"
    paper: ClassVar[Paper | None] = Paper("O-BELM", "2410.07273")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = True

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        return (yield from two_step_invert(source, step_up, step_down))


def step_down(
    noisier: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The cleaner latent, from the noisier one and from z between them with its prediction.

    noisier, z: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    weight = _weight(around)
    return weight * noisier + _rest(z, prediction, around)


def step_up(
    cleaner: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The noisier latent, from the cleaner one and from z between them with its prediction.

    cleaner, z: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    weight = _weight(around)
    return (cleaner - _rest(z, prediction, around)) / weight


def _weight(around: LevelTriple) -> float:
    """The weight of the noisier latent in the cleaner one."""
    before, after = _steps(around)
    return (after / before) ** 2 * around.cleaner.signal / around.noisier.signal


def _rest(z: "Tensor", prediction: Prediction, around: LevelTriple) -> "Tensor":
    """The part of the cleaner latent that comes from the latent between."""
    before, after = _steps(around)
    both, signal = before + after, around.cleaner.signal
    by_noise = after * both * signal / before
    by_latent = (before - after) * both / before**2 * signal / around.here.signal
    return by_noise * prediction.eps + by_latent * z


def _steps(around: LevelTriple) -> tuple[float, float]:
    """The two steps in noise divided by signal, the noisier first."""
    noisier, here, cleaner = (level.noise / level.signal for level in around)
    return here - noisier, cleaner - here
