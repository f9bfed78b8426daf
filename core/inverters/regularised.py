"""Regularised DDIM inversion: the predicted noise of every step is made more like true noise."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Prediction
from core.editing.inversion import DirectPath, Inversion, Source
from core.editing.noise_regularisation import correlation, loss_gradient

if TYPE_CHECKING:
    from torch import Tensor

ROUNDS, ROLLS = 5, 5
CORRELATION_WEIGHT, NORMAL_WEIGHT = 20.0, 20.0
EPSILON = 1e-7


@inverters.register
class RegularisedInversion:
    """Trace back to noise that is easy to edit (pix2pix-zero's inversion, arXiv 2302.03027).

    After each call the noise takes gradient steps that lower its correlations and its distance from
    the standard normal, with the published weights. Shifts are taken in turn, not drawn. As with
    Direct Inversion the source is put back on its path, which the changed noise would leave.
    """

    id: ClassVar[str] = "regularised"
    label: ClassVar[str] = "Regularised DDIM inversion"
    paper: ClassVar[Paper | None] = Paper("pix2pix-zero's inversion", "2302.03027")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        denoise, z = source.denoiser(), source.x0
        latents = [z]
        for i in source.inversion_order:
            high, low = source.levels[i], source.levels[i + 1]
            prediction = denoise(z, low, high)
            eps = regularise_noise(prediction.eps)
            x0 = (z - low.noise * eps) / max(low.signal, EPSILON)
            z = Prediction(x0, eps).at(high)
            latents.append(z)
            yield prediction.x0
        return DirectPath(source.levels, latents[::-1])


def regularise_noise(eps: "Tensor") -> "Tensor":
    """Noise with less correlation, and mean and variance nearer to 0 and 1.

    eps: (1, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    for n in range(ROUNDS):
        for roll in range(n * ROLLS, (n + 1) * ROLLS):
            eps = eps - CORRELATION_WEIGHT / ROLLS * loss_gradient(
                eps, partial(correlation, roll=roll)
            )
        eps = eps - NORMAL_WEIGHT * loss_gradient(eps, divergence_from_normal)
    return eps


def divergence_from_normal(eps: "Tensor") -> "Tensor":
    """The Kullback-Leibler divergence of all values, as one Gaussian, from the standard normal.

    It is taken twice, as in the authors' code, which leaves out the half.
    eps: (1, c, h, w) float, unbounded. Returns a scalar, non-negative but for rounding.
    """
    variance, mean = eps.var(), eps.mean()
    return variance + mean.square() - 1 - (variance + EPSILON).log()
