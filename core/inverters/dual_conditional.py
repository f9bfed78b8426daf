"""Dual-Conditional Inversion: the fixed point of every step up, with noise drawn to the picture."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import inverters
from core.editing.implicit_inversion import search_fixed_points
from core.editing.inversion import Inversion, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor

ROUNDS = 10
PULL_RATE = 1.0
"""How far the noise goes towards the picture, as a length over all of the latent."""


@inverters.register
class DualConditionalInversion:
    """Hold the picture's noise to its words and to itself (DCI, arXiv 2506.02560).

    Approximate: it follows the authors' code, which draws the noise to the clean latent and then
    searches as SPDInv does.
    """

    id: ClassVar[str] = "dual-conditional"
    label: ClassVar[str] = "Dual-Conditional Inversion"
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})

    def calls(self, steps: int) -> int:
        return steps * (1 + ROUNDS)

    def run(self, source: Source) -> Inversion:
        latents = yield from search_fixed_points(
            source, ROUNDS, lambda eps: pull_noise(eps, source.x0)
        )
        return ReplayPath(source.levels, latents, [source.embeddings] * (len(latents) - 1))


def pull_noise(eps: "Tensor", reference: "Tensor") -> "Tensor":
    """One gradient step of the noise's distance to a reference, of the same length always."""
    away = (eps - reference).detach()
    corrected: Tensor = eps - PULL_RATE * away / away.norm().clamp(min=1e-8)
    return corrected
