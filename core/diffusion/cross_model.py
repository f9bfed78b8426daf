"""Two models on one walk: whether they share latents, and one model at the other's levels."""

from typing import TYPE_CHECKING

from core.diffusion.model import Denoise, Image, Level, Model, Prediction
from core.diffusion.rectified_flow import INTERPOLATION_STEPS, Flow, scale_of, time_of
from core.errors import TechniqueError

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 0.05
"""By how much of their size two latents of one picture may differ: rounding to half is 0.002."""


def refuse_foreign(model: Model, other: Model, image: Image, x0: "Tensor") -> None:
    """Raises TechniqueError, with one sentence, for a model with latents of another kind.

    image: height x width x 3 float32, 0..1; x0: the latent that the first model encodes it to,
    (1, c, h, w) float, unbounded.
    """
    facts = (
        ("latent channels", model.channels, other.channels),
        ("pixels per latent cell", model.factor, other.factor),
    )
    for name, here, there in facts:
        if here != there:
            raise _foreign(model, other, f"{there} {name} and not {here}")
    if any(side % other.multiple for side in image.shape[:2]):
        height, width = image.shape[:2]
        size = f"{width} x {height} pixels"
        raise _foreign(model, other, f"sides in multiples of {other.multiple}, unlike {size}")
    away = (other.encode(image).to(x0) - x0).norm() / x0.norm().clamp(min=1e-6)
    if not float(away) <= TOLERANCE:
        raise _foreign(model, other, "another autoencoder")


def _foreign(model: Model, other: Model, has: str) -> TechniqueError:
    return TechniqueError(
        f"{other.label} cannot be blended with {model.label}: it has {has}. "
        "Choose two models of one family."
    )


def at_levels_of_another(model: Model, denoise: Denoise, steps: int) -> Denoise:
    """A denoiser of ``model`` that is called at levels of another model.

    The network gets a latent with as much noise for its signal, in its own scale, and its own
    label: between its known levels an interpolated one, beyond them its first or last. ``steps``
    are those of the walk, so that equal schedules meet exactly.
    """
    levels = model.levels(steps)
    flow = Flow(model, (*model.levels(INTERPOLATION_STEPS), *levels))
    noisy = [time for time in flow.times if time > 0]
    least, most = min(noisy), max(noisy)

    def own_level(level: Level) -> Level:
        time = time_of(level)
        known = flow.level(min(max(time, least), most))
        scale = scale_of(known)
        return Level((1 - time) * scale, time * scale, known.time)

    def denoise_at_own_level(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        here = own_level(level)
        scaled = z * (scale_of(here) / scale_of(level))
        return denoise(scaled, here, own_level(label) if label else None)

    return denoise_at_own_level
