"""Time-Shift sampler: the network is told how noisy a latent is, not how noisy it should be."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core.catalog import Paper, modifiers
from core.diffusion.model import Conditioning, Denoise, Level, MakeDenoise, Model, Prediction
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule, nearest_index
from core.params import Choice, Range

if TYPE_CHECKING:
    from torch import Tensor


@modifiers.register
class TimeShift:
    """Fewer faults in walks of few steps (Time-Shift sampler, arXiv 2305.15583).

    After each step the noise in the latent is measured, and the network is told the level in a
    window around the right one that has as much. Published is the variance of the whole latent;
    "apart" takes off what the clean picture seen a step before has of it, which matters for
    latents of autoencoders. A batch is told one level, that of its mean.
    """

    id: ClassVar[str] = "time-shift"
    label: ClassVar[str] = "Time shift"
    paper: ClassVar[Paper | None] = Paper("Time-Shift sampler", "2305.15583")
    calls: ClassVar[int] = 1

    @dataclass(frozen=True)
    class Params:
        window: Annotated[
            int, Range(0, 200, "Window", help="Thousandths of the schedule, 0 for none.")
        ] = 40
        cutoff: Annotated[
            int, Range(0, 1000, "Until", help="Thousandths of the schedule left without shift.")
        ] = 300
        measure: Annotated[
            str, Choice(("apart", "whole"), "Variance", help="Without or with the picture's own.")
        ] = "apart"

    def __init__(self, params: Any) -> None:
        self.params: TimeShift.Params = params
        self._before: tuple[Level, float] | None = None

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise:
        return partial(self._shift, make, model)

    def _shift(self, make: MakeDenoise, model: Model, words: Conditioning) -> Denoise:
        denoise = make(words)

        def shifted(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            if label not in (None, level):
                return denoise(z, level, label)
            seen = denoise(z, level, self._label(model, z, level))
            self._before = (level, variance(seen.x0))
            return seen

        return shifted

    def _label(self, model: Model, z: "Tensor", level: Level) -> Level | None:
        """The level in the window with as much noise as was measured; None for the right one."""
        fine = full_schedule(model)
        here, half = nearest_index(fine, level), self.params.window // 2
        content = self._content(level)
        if content is None or half == 0 or SCHEDULE_STEPS - here <= self.params.cutoff:
            return None
        found = variance(z) - level.signal**2 * content
        window = fine[max(0, here - half) : here + half + 1]
        best = min(window, key=lambda other: abs(other.noise**2 - found))
        return None if best == fine[here] else best

    def _content(self, level: Level) -> float | None:
        """What is taken off for the picture; None before the first step of a walk."""
        if self._before is None or self._before[0].noise <= level.noise:
            return None
        return 0.0 if self.params.measure == "whole" else self._before[1]


def variance(z: "Tensor") -> float:
    """Of each latent around its own mean, on average."""
    return float(z.detach().flatten(1).var(1).mean())
