"""Weak-to-strong guidance: a step down strongly guided, a step back up weakly, and again."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core.catalog import Paper, modifiers
from core.diffusion.guidance import guide_prediction
from core.diffusion.model import Conditioning, Denoise, Level, MakeDenoise, Model, Prediction
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule, nearest_index
from core.modifiers.cfg import GuidancePair, make_pair
from core.params import NegativePrompt, Range

if TYPE_CHECKING:
    from torch import Tensor


@modifiers.register
class WeakToStrong:
    """Follow the prompt with fewer faults, at thrice the time (W2SD, arXiv 2502.00473).

    In the first part of the walk each latent is stepped down under strong guidance and back up
    under weak guidance before the step that counts: what the two differ by has then been added.
    """

    id: ClassVar[str] = "w2sd"
    label: ClassVar[str] = "Guidance (weak to strong)"
    paper: ClassVar[Paper | None] = Paper("W2SD", "2502.00473")
    calls: ClassVar[int] = 3

    @dataclass(frozen=True)
    class Params:
        scale: Annotated[float, Range(1, 20, "Strong guidance", step=0.5)] = 7.5
        weak_scale: Annotated[float, Range(0, 20, "Weak guidance", step=0.5)] = 1.0
        share: Annotated[
            float, Range(0, 1, "Reflected steps", step=0.05, help="First share of the walk.")
        ] = 0.3
        steps: Annotated[
            int, Range(1, 100, "Steps", help="Of the walk: how far a reflection steps.")
        ] = 20
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""

    def __init__(self, params: Any) -> None:
        self.params: WeakToStrong.Params = params

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise:
        return partial(self._guide, make, model)

    def _guide(self, make: MakeDenoise, model: Model, words: Conditioning) -> Denoise:
        params = self.params
        pair = make_pair(make, model, params.negative_prompt, words)
        strong, weak = (_Scaled(pair, scale) for scale in (params.scale, params.weak_scale))

        def denoise(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            seen = strong(z, level, label)
            there = self._next(model, level)
            if there is None or label not in (None, level):
                return seen
            back = weak(seen.at(there), there, level)
            return strong(back.at(level), level)

        return denoise

    def _next(self, model: Model, level: Level) -> Level | None:
        """Where a reflection turns; None where nothing is reflected."""
        fine = full_schedule(model)
        here = nearest_index(fine, level)
        if here >= self.params.share * SCHEDULE_STEPS:
            return None
        walk = [
            there for there in model.levels(self.params.steps) if nearest_index(fine, there) > here
        ]
        return walk[0] if walk and walk[0].noise > 0 else None


class _Scaled:
    """Prompt against negative prompt at one scale."""

    def __init__(self, pair: GuidancePair, scale: float) -> None:
        self._pair = pair
        self._scale = scale

    def __call__(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        uncond, cond = self._pair(z, level, label)
        return guide_prediction(uncond, cond, self._scale)
