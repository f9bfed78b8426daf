"""How close a picture stays to the one that was there."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import verifiers

if TYPE_CHECKING:
    from torch import Tensor

    from core.scoring.case import Case, ScoreLatents


@verifiers.register
class Likeness:
    """How little a picture departs from the one that was there, in the model's own latents."""

    id: ClassVar[str] = "likeness"
    label: ClassVar[str] = "Keeps to the picture"
    claim: ClassVar[str] = "keeps to the picture"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_prompt: ClassVar[bool] = False

    @staticmethod
    def gain(score: float, than: float) -> float:
        """By how many per cent the distance shrinks."""
        return 100 * (score - than) / max(abs(than), 1e-12)

    def judge(self, case: "Case") -> "ScoreLatents":
        def scores(x0: "Tensor") -> "Tensor":
            return -(x0 - case.x0).square().flatten(1).mean(1)

        return scores
