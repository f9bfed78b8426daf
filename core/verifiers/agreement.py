"""How well a picture fits the prompt, as the model itself sees it."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import verifiers
from core.latents import checked
from core.schedule import FINE, schedule

if TYPE_CHECKING:
    from torch import Tensor

    from core.verifying import Case, Verify


@verifiers.register
class Agreement:
    """How much better the prompt explains a picture than no prompt does, in per cent.

    The picture is noised half-way; the network that knows the prompt must find the noise better
    (the comparison of a diffusion classifier, arXiv 2303.16203).
    """

    id: ClassVar[str] = "agreement"
    label: ClassVar[str] = "Fits the prompt"
    claim: ClassVar[str] = "fits the prompt"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_prompt: ClassVar[bool] = True

    @staticmethod
    def gain(score: float, than: float) -> float:
        return score - than

    def judge(self, case: "Case") -> "Verify":
        level, model = schedule(case.model)[FINE // 2], case.model
        noise = case.task.noise(case.x0, "judge")

        def scores(x0: "Tensor") -> "Tensor":
            count = len(x0)
            rows = model.embed([""] * count + [case.prompt] * count)
            z = level.mix(x0, noise).repeat(2, 1, 1, 1)
            missed = checked(model.denoiser(rows))(z, level).eps - noise
            without, told = (missed.square() * case.mask).flatten(1).sum(1).chunk(2)
            return 100 * (without - told) / without.clamp(min=1e-12)

        return scores
