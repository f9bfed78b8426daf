"""Masks in latent cells, and other things that several techniques do with latents and walks."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.diffusion.model import Denoise, Image, KnownRegion, Level, Levels, Model, Prediction, Step
from core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def last_steps(levels: Levels, strength: float) -> Levels:
    """The last levels of a walk: all at strength 1, one step at least, only the end at 0."""
    steps = len(levels) - 1
    taken = max(1, round(strength * steps)) if strength > 0 else 0
    return levels[steps - taken :]


def latent_mask(mask: npt.NDArray[np.float32], like: "Tensor") -> "Tensor":
    """The mask in latent cells, each the largest value of its pixels.

    mask: height x width float32, 0..1; like: a latent (b, c, h, w). Returns (1, 1, h, w), 0..1,
    in the latent's dtype.
    """
    import torch
    from torch.nn.functional import adaptive_max_pool2d

    pixels = torch.from_numpy(np.ascontiguousarray(mask))[None, None]
    return adaptive_max_pool2d(pixels, (like.shape[-2], like.shape[-1])).to(like)


def soft_latent_mask(mask: npt.NDArray[np.float32], like: "Tensor") -> "Tensor":
    """The latent mask grown by a cell and feathered over two, so that what was painted stays 1.

    mask: height x width float32, 0..1; like: a latent (b, c, h, w). Returns (1, 1, h, w), 0..1,
    in the latent's dtype.
    """
    import torch
    from torch.nn.functional import conv2d, max_pool2d, pad

    grown = max_pool2d(latent_mask(mask, like), 3, stride=1, padding=1)
    row = torch.tensor([0.25, 0.5, 0.25]).to(like)
    kernel = (row[:, None] * row[None, :])[None, None]
    return conv2d(pad(grown, (1, 1, 1, 1), mode="replicate"), kernel).clamp(0, 1)


def grey_picture(values: "Tensor", size: tuple[int, int], brightest: float = 1.0) -> Image:
    """Values in latent cells as a grey picture of another size, stretched to 0..1.

    values: (1, 1, h, w) float, unbounded; white is their quantile ``brightest``, and equal values
    are black. size: height and width. Returns height x width x 3 float32, 0..1.
    """
    from torch.nn.functional import interpolate

    low, high = values.min(), values.flatten().quantile(brightest)
    span = (high - low).clamp(min=max(1e-8, 1e-3 * float(high.abs())))
    stretched = ((values - low) / span).clamp(0, 1)
    full = interpolate(stretched, size, mode="bicubic").clamp(0, 1)[0, 0]
    grey = np.asarray(full.cpu().numpy(), np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def known_region(model: Model, mask: "Tensor", x0: "Tensor") -> KnownRegion | None:
    """What an inpainting network gets of the picture; None for any other network.

    mask: (1, 1, h, w) float, 0..1, all cells above 0 to be painted; x0: (1, c, h, w) float,
    unbounded.
    """
    if "inpaint" not in model.capabilities:
        return None
    return KnownRegion((mask > 0).to(mask), x0)


def keep_outside_mask(
    denoise: Denoise, x0: "Tensor", noise: "Tensor", mask: "Tensor", levels: Levels
) -> Denoise:
    """A denoiser that predicts the picture itself wherever a cell is not free yet.

    x0, noise: (1, c, h, w) float, unbounded; mask: (1, 1, h, w) float, 0..1. A cell of value v is
    free in the last share v of the walk: 1 always, 0 never. Elsewhere the prediction is exactly
    (x0, noise), so every sampler walks along the noised picture at the right level.
    """
    import torch

    count = len(levels) - 1

    def denoise_inside(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        prediction = denoise(z, level, label)
        free = mask > 1 - (_position(level, levels) + 1) / count
        clean = torch.where(free, prediction.x0, x0)
        return Prediction(clean, torch.where(free, prediction.eps, noise))

    return denoise_inside


def _position(level: Level, levels: Levels) -> int:
    """How many levels of the walk are noisier than this one, the last step at most."""
    noisier = sum(other.noise * level.signal > level.noise * other.signal for other in levels)
    return min(noisier, len(levels) - 2)


def number_steps(
    walk: Generator["Tensor", None, "Tensor"], total: int
) -> Generator[Step, None, "Tensor"]:
    """A walk's clean latents, (b, c, h, w) float, unbounded, as steps 1 to total."""
    n = 0
    while True:
        try:
            x0 = next(walk)
        except StopIteration as end:
            z: Tensor = end.value
            return z
        n += 1
        yield Step(n, total, x0)


def check_finite(denoise: Denoise) -> Denoise:
    """A denoiser that raises ModelError where the network gives values that are not numbers."""

    def denoise_or_raise(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        prediction = denoise(z, level, label)
        if not (prediction.x0.isfinite().all() and prediction.eps.isfinite().all()):
            raise ModelError(
                "The model gave values that are not numbers; "
                "run it at full precision or choose another model."
            )
        return prediction

    return denoise_or_raise
