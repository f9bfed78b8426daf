"""O-BELM: a leap over uneven steps whose weights cancel its error up to second order."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import inverters
from core.diffusion.model import Prediction
from core.editing.inversion import Inversion, Source
from core.editing.two_step_inversion import LevelTriple, TwoStepPath, two_step_invert

if TYPE_CHECKING:
    from torch import Tensor


@inverters.register
class Belm:
    """Give the picture back exactly, with the most accurate leap (O-BELM, arXiv 2410.07273).

    Traced back with the guidance of the edit, on which the exactness depends.
    """

    id: ClassVar[str] = "belm"
    label: ClassVar[str] = "O-BELM"
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
    weight = _weight(around)
    return weight * noisier + _rest(z, prediction, around)


def step_up(
    cleaner: "Tensor", z: "Tensor", prediction: Prediction, around: LevelTriple
) -> "Tensor":
    """The noisier latent."""
    weight = _weight(around)
    return (cleaner - _rest(z, prediction, around)) / weight


def _weight(around: LevelTriple) -> float:
    """Of the noisier latent in the cleaner one."""
    before, after = _steps(around)
    return (after / before) ** 2 * around.cleaner.signal / around.noisier.signal


def _rest(z: "Tensor", prediction: Prediction, around: LevelTriple) -> "Tensor":
    """What the latent between adds to the cleaner one."""
    before, after = _steps(around)
    both, signal = before + after, around.cleaner.signal
    by_noise = after * both * signal / before
    by_latent = (before - after) * both / before**2 * signal / around.here.signal
    return by_noise * prediction.eps + by_latent * z


def _steps(around: LevelTriple) -> tuple[float, float]:
    """The two steps in noise per signal, the noisier first."""
    noisier, here, cleaner = (level.noise / level.signal for level in around)
    return here - noisier, cleaner - here
