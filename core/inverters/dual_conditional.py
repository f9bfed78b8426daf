"""Dual-Conditional Inversion: every step's fixed point, with noise pulled towards the picture."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.editing.implicit_inversion import search_fixed_points
from core.editing.inversion import Inversion, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor

ROUNDS = 10
PULL_RATE = 1.0
"""The length of a step of the noise towards the picture, over all of the latent."""


@inverters.register
class DualConditionalInversion:
    """Hold the picture's noise to its words and to itself (DCI, arXiv 2506.02560).

    Approximate: it follows the authors' code, which pulls the noise towards the clean latent and
    then searches as SPDInv does.
    """

    id: ClassVar[str] = "dual-conditional"
    label: ClassVar[str] = "Dual-Conditional Inversion"
    paper: ClassVar[Paper | None] = Paper("DCI", "2506.02560")
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps * (1 + ROUNDS)

    def run(self, source: Source) -> Inversion:
        latents = yield from search_fixed_points(
            source, ROUNDS, lambda eps: pull_noise(eps, source.x0)
        )
        return ReplayPath(source.levels, latents, [source.embeddings] * (len(latents) - 1))


def pull_noise(eps: "Tensor", reference: "Tensor") -> "Tensor":
    """One gradient step down the distance of noise from a reference, always of the same length.

    eps, reference: (1, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    away = (eps - reference).detach()
    corrected: Tensor = eps - PULL_RATE * away / away.norm().clamp(min=1e-8)
    return corrected
