"""EDICT: two coupled latents that take turns, so that every step can be undone exactly."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Denoise, Level, Prediction
from core.editing.inversion import Inversion, PathState, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor

MIX = 0.93
"""How much of itself a latent keeps when the pair is drawn together, as published."""


@inverters.register
class Edict:
    """Give the picture back to the last digit, at twice the calls (EDICT, arXiv 2211.12446).

    The inversion uses the guidance of the edit, on which the exactness depends.
    """

    id: ClassVar[str] = "edict"
    label: ClassVar[str] = "EDICT"
    paper: ClassVar[Paper | None] = Paper("EDICT", "2211.12446")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = True

    def calls(self, steps: int) -> int:
        return 2 * steps

    def run(self, source: Source) -> Inversion:
        denoise = source.denoiser(source.guidance)
        x = y = to_double_precision(source.x0)
        for i in source.inversion_order:
            here, there = source.levels[i], source.levels[i + 1]
            y = (y - (1 - MIX) * x) / MIX
            x = (x - (1 - MIX) * y) / MIX
            x, y = swap_roles(i, (x, y))
            prediction = predict_in_single(denoise, x, here)
            y = undo_step(y, prediction, here, there)
            yield prediction.x0
            prediction = predict_in_single(denoise, y, here)
            x = undo_step(x, prediction, here, there)
            yield prediction.x0
            x, y = swap_roles(i, (x, y))
        return CoupledPath(source.levels, (x, y))


class CoupledPath(ReplayPath):
    """A path of two latents, each moved by the noise that the network predicts for the other."""

    def begin(self, branches: int) -> PathState:
        return tuple(part.repeat(branches, 1, 1, 1) for part in self.latents)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        x, y = swap_roles(i, state)
        here, there = self.levels[i], self.levels[i + 1]
        x = step(x, predict_in_single(denoise, y, here), here, there)
        prediction = predict_in_single(denoise, x, here)
        x, y = swap_roles(i, (x, step(y, prediction, here, there)))
        x = MIX * x + (1 - MIX) * y
        y = MIX * y + (1 - MIX) * x
        return (x, y), prediction.x0

    def latent(self, state: PathState) -> "Tensor":
        return state[0].float()


def swap_roles(i: int, pair: PathState) -> PathState:
    """Exchange the two latents at odd steps, by the step's index in both directions.

    The one that moves first takes turns; the mix begins with the first latent at every step.

    pair: two latents (b, c, h, w) float, unbounded. Returns them as they are.
    """
    return pair[::-1] if i % 2 else pair


def to_double_precision(z: "Tensor") -> "Tensor":
    """z in double precision, which undoing the mix needs; Apple's GPUs have none.

    z: (b, c, h, w) float, unbounded. Returns float64, on Apple's GPUs z itself.
    """
    return z if z.device.type == "mps" else z.double()


def predict_in_single(denoise: Denoise, z: "Tensor", level: Level) -> Prediction:
    """The prediction for z in single precision, in which the network works.

    z: (b, c, h, w) float, unbounded. Both parts of the result are float32, of the same shape.
    """
    return denoise(z.float(), level)


def step(z: "Tensor", prediction: Prediction, here: Level, there: Level) -> "Tensor":
    """The DDIM move of a latent by the noise predicted for the other one.

    z: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    scale = there.signal / here.signal
    return scale * z + (there.noise - scale * here.noise) * prediction.eps


def undo_step(z: "Tensor", prediction: Prediction, here: Level, there: Level) -> "Tensor":
    """The latent that ``step`` moves to z.

    z: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    scale = there.signal / here.signal
    return (z - (there.noise - scale * here.noise) * prediction.eps) / scale
