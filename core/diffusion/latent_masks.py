"""What several editing methods do with latents and masks: reduce, start, keep and check."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.diffusion.model import Denoise, Image, KnownRegion, Level, Levels, Model, Prediction, Step
from core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def last_steps(levels: Levels, strength: float) -> Levels:
    """The cleanest share of a walk: all of it at 1, one step at least, only the end at 0."""
    steps = len(levels) - 1
    taken = max(1, round(strength * steps)) if strength > 0 else 0
    return levels[steps - taken :]


def latent_mask(mask: npt.NDArray[np.float32], like: "Tensor") -> "Tensor":
    """The pixel mask as (1, 1, height, width) in latent cells: each cell's largest value."""
    import torch
    from torch.nn.functional import adaptive_max_pool2d

    pixels = torch.from_numpy(np.ascontiguousarray(mask))[None, None]
    return adaptive_max_pool2d(pixels, (like.shape[-2], like.shape[-1])).to(like)


def soft_latent_mask(mask: npt.NDArray[np.float32], like: "Tensor") -> "Tensor":
    """The latent mask grown by a cell and feathered over two, so that what was painted stays 1."""
    import torch
    from torch.nn.functional import conv2d, max_pool2d, pad

    grown = max_pool2d(latent_mask(mask, like), 3, stride=1, padding=1)
    row = torch.tensor([0.25, 0.5, 0.25]).to(like)
    kernel = (row[:, None] * row[None, :])[None, None]
    return conv2d(pad(grown, (1, 1, 1, 1), mode="replicate"), kernel).clamp(0, 1)


def grey_picture(look: "Tensor", size: tuple[int, int], brightest: float = 1.0) -> Image:
    """A map (1, 1, h, w) as a grey picture of size (height, width), stretched to 0..1.

    White is the quantile ``brightest`` of its values; a map that is flat is black.
    """
    from torch.nn.functional import interpolate

    low, high = look.min(), look.flatten().quantile(brightest)
    span = (high - low).clamp(min=max(1e-8, 1e-3 * float(high.abs())))
    stretched = ((look - low) / span).clamp(0, 1)
    full = interpolate(stretched, size, mode="bicubic").clamp(0, 1)[0, 0]
    grey = np.asarray(full.cpu().numpy(), np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def known_region(model: Model, mask: "Tensor", x0: "Tensor") -> KnownRegion | None:
    """What an inpainting network wants to know of the picture; None for any other network."""
    if "inpaint" not in model.capabilities:
        return None
    return KnownRegion((mask > 0).to(mask), x0)


def keep_outside_mask(
    denoise: Denoise, x0: "Tensor", noise: "Tensor", mask: "Tensor", levels: Levels
) -> Denoise:
    """Believe the picture itself wherever a cell is not free yet.

    Outside the mask the prediction is exactly (x0, noise), so every sampler walks those cells
    along the noised picture at the right level. A cell of value v is free in the last v of the
    walk: 1 always, 0 never.
    """
    import torch

    count = len(levels) - 1

    def kept(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        seen = denoise(z, level, label)
        free = mask > 1 - (_position(level, levels) + 1) / count
        return Prediction(torch.where(free, seen.x0, x0), torch.where(free, seen.eps, noise))

    return kept


def _position(level: Level, levels: Levels) -> int:
    """How many levels of the walk are noisier than this one, the last step at most."""
    noisier = sum(other.noise * level.signal > level.noise * other.signal for other in levels)
    return min(noisier, len(levels) - 2)


def number_steps(
    walk: Generator["Tensor", None, "Tensor"], total: int
) -> Generator[Step, None, "Tensor"]:
    """A walk's clean latents as steps 1 to total."""
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
    """Stop with a ModelError as soon as the network says something that is not a number."""

    def finite(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        seen = denoise(z, level, label)
        if not (seen.x0.isfinite().all() and seen.eps.isfinite().all()):
            raise ModelError(
                "The model gave values that are not numbers; "
                "run it at full precision or choose another model."
            )
        return seen

    return finite
