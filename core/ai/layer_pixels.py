"""From a model's result to the pixels of an AI layer."""

import numpy as np
import numpy.typing as npt

from core.ai.colour import match_colours, ring
from core.ai.crop import unit
from core.ai.masks import Transition, composite_mask, denoise_mask
from core.ai.residual import add_residual
from core.paint.tiles import Pixels

Floats = npt.NDArray[np.float32]


def layer_pixels(
    crop: Pixels,
    painted: Pixels,
    result: Floats,
    round_trip: Floats,
    lengths: Transition,
    amount: float,
) -> Pixels:
    """Make premultiplied RGBA, height x width x 4 uint8, 0..255, with the composite mask as alpha.

    crop is height x width x 3 uint8, painted height x width uint8, result and round_trip
    height x width x 3 float32 in 0..1 (see core.ai.crop.from_model), all at the crop's size.
    amount is that of core.ai.residual.edit_amount.
    """
    original = unit(crop)
    picture = add_residual(original, result, round_trip, amount)
    denoise = denoise_mask(painted, lengths)
    band = ring(denoise > 0, lengths.feather)
    picture = match_colours(picture, original, band, lengths.feather)
    alpha = np.rint(composite_mask(denoise, lengths) * 255)
    colour = np.rint(picture * alpha[..., None])
    return np.concatenate([colour, alpha[..., None]], axis=2).astype(np.uint8)
