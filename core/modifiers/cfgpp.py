"""CFG++: guidance that stays on the model's own manifold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core.catalog import Paper, modifiers
from core.diffusion.guidance import guide_prediction
from core.diffusion.model import Conditioning, Denoise, Level, MakeDenoise, Model, Prediction
from core.modifiers.cfg import make_pair
from core.params import NegativePrompt, Range

if TYPE_CHECKING:
    from torch import Tensor


@modifiers.register
class CfgPlusPlus:
    """Guidance with calmer colours and better inversion (CFG++, arXiv 2406.08070).

    The content is guided, the noise that is put back is the unguided one; walking up, as an
    inversion does, it is the other way round.
    """

    id: ClassVar[str] = "cfg++"
    label: ClassVar[str] = "Guidance (CFG++)"
    paper: ClassVar[Paper | None] = Paper("CFG++", "2406.08070")
    calls: ClassVar[int] = 1

    @dataclass(frozen=True)
    class Params:
        scale: Annotated[float, Range(0, 1, "Guidance scale", step=0.05)] = 0.6
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""

    def __init__(self, params: Any) -> None:
        self.params: CfgPlusPlus.Params = params

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise:
        scale = self.params.scale

        def make_guided(embeddings: Conditioning) -> Denoise:
            pair = make_pair(make, model, self.params.negative_prompt, embeddings)

            def denoise(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
                uncond, cond = pair(z, level, label)
                x0, eps = guide_prediction(uncond, cond, scale)
                goes_up = label is not None and label.noise > level.noise
                return Prediction(uncond.x0, eps) if goes_up else Prediction(x0, uncond.eps)

            return denoise

        return make_guided
