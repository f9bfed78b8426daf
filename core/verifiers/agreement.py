"""How well a picture fits the prompt, by the model's own predictions."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import verifiers
from core.scoring.prompt_agreement import prompt_agreement

if TYPE_CHECKING:
    from torch import Tensor

    from core.scoring.case import Case, ScoreLatents


@verifiers.register
class Agreement:
    """How much better the prompt explains a picture than no prompt does, in per cent.

    It compares as a diffusion classifier does (arXiv 2303.16203).
    """

    id: ClassVar[str] = "agreement"
    label: ClassVar[str] = "Fits the prompt"
    claim: ClassVar[str] = "fits the prompt"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_prompt: ClassVar[bool] = True

    @staticmethod
    def gain(score: float, than: float) -> float:
        return score - than

    def judge(self, case: "Case") -> "ScoreLatents":
        noise = case.task.noise(case.x0, "judge")

        def scores(x0: "Tensor") -> "Tensor":
            return prompt_agreement(case.model, x0, case.prompt, noise, case.mask)

        return scores
