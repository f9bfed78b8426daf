"""Classifier-free guidance: from the negative prompt to the prompt and beyond."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core.catalog import Paper, modifiers
from core.diffusion.guidance import EMBEDDED_GUIDANCE, guide_prediction
from core.diffusion.model import Conditioning, Denoise, Level, MakeDenoise, Model, Prediction
from core.params import Guidance, NegativePrompt

if TYPE_CHECKING:
    from torch import Tensor


@modifiers.register
class ClassifierFreeGuidance:
    """Follow the prompt more closely (classifier-free guidance, arXiv 2207.12598).

    A network that embeds its guidance reads the scale as a number; with a negative prompt, which it
    cannot read, it is guided away from that as any other.
    """

    id: ClassVar[str] = "cfg"
    label: ClassVar[str] = "Guidance"
    paper: ClassVar[Paper | None] = Paper("classifier-free guidance", "2207.12598")
    calls: ClassVar[int] = 1

    @dataclass(frozen=True)
    class Params:
        scale: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 5.0
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""

    def __init__(self, params: Any) -> None:
        self.params: ClassifierFreeGuidance.Params = params

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise:
        scale = self.params.scale

        embeds = EMBEDDED_GUIDANCE in model.capabilities and not self.params.negative_prompt

        def make_guided(embeddings: Conditioning) -> Denoise:
            if embeds:
                return make(_with_embedded_guidance(embeddings, scale))
            if scale == 1:
                return make(embeddings)
            pair = make_pair(make, model, self.params.negative_prompt, embeddings)

            def denoise(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
                uncond, cond = pair(z, level, label)
                return guide_prediction(uncond, cond, scale)

            return denoise

        return make_guided


def _with_embedded_guidance(embeddings: Conditioning, scale: float) -> Conditioning:
    """The embeddings with a scale for every row that has none of the technique's."""
    scales = tuple(scale if given is None else given for given in embeddings.scales())
    return replace(embeddings, guidance=scales)


class GuidancePair:
    """Negative prompt and prompt in one network call."""

    def __init__(self, denoise: Denoise, count: int) -> None:
        self._denoise = denoise
        self._count = count

    def __call__(
        self, z: "Tensor", level: Level, label: Level | None = None
    ) -> tuple[Prediction, Prediction]:
        shown = z if z.shape[0] == 1 else z.repeat(2, 1, 1, 1)
        x0, eps = self._denoise(shown, level, label)
        n = self._count
        return Prediction(x0[:n], eps[:n]), Prediction(x0[n:], eps[n:])


def make_pair(
    make: MakeDenoise, model: Model, negative_prompt: str, embeddings: Conditioning
) -> GuidancePair:
    """One evaluation for both, the negative prompt once for each prompt of a batch.

    embeddings: tokens (batch, length, width) float, unbounded.
    """
    negative = model.embed([negative_prompt] * len(embeddings))
    return GuidancePair(make(negative.concatenate(embeddings)), len(embeddings))
