"""SPDInv: the fixed point of every step up, found by gradients."""

from typing import ClassVar

from core.catalog import Paper, inverters
from core.editing.implicit_inversion import search_fixed_points
from core.editing.inversion import Inversion, ReplayPath, Source

ROUNDS = 25


@inverters.register
class SpdInversion:
    """Free the picture's noise of what the source prompt says (SPDInv, arXiv 2403.11105).

    As published every latent is searched with AdamW, without guidance. On the way down the source
    prompt is the negative prompt of every branch.
    """

    id: ClassVar[str] = "spdinv"
    label: ClassVar[str] = "SPDInv"
    paper: ClassVar[Paper | None] = Paper("SPDInv", "2403.11105")
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps * (1 + ROUNDS)

    def run(self, source: Source) -> Inversion:
        latents = yield from search_fixed_points(source, ROUNDS)
        return ReplayPath(source.levels, latents, [source.embeddings] * (len(latents) - 1))
