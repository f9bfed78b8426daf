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
    opacity: Pixels | None = None,
) -> Pixels:
    """Make premultiplied RGBA, height x width x 4 uint8, 0..255, with the composite mask as alpha.

    crop is height x width x 3 uint8, painted height x width uint8, result and round_trip
    height x width x 3 float32 in 0..1 (see core.ai.crop.from_model), all at the crop's size.
    amount is that of core.ai.residual.edit_amount. opacity, height x width uint8, is the alpha of
    the picture below where the edit keeps what is transparent, else None.
    """
    original = unit(crop)
    picture = add_residual(original, result, round_trip, amount)
    denoise = denoise_mask(painted, lengths)
    # A shift is measured where the model left the picture alone, if faint paint lies there or not.
    band = ring(denoise > 0, lengths.feather)
    picture = match_colours(picture, original, band, lengths.feather)
    shown = composite_mask(painted, lengths)
    if opacity is not None:
        # A layer above can only add to an alpha; the square adds little to a soft edge.
        shown *= unit(opacity) ** 2 if amount > 0 else 0
        picture = take_off_white(picture, unit(opacity))
    alpha = np.rint(shown * 255)
    colour = np.rint(picture * alpha[..., None])
    return np.concatenate([colour, alpha[..., None]], axis=2).astype(np.uint8)


def take_off_white(picture: Floats, alpha: Floats) -> Floats:
    """The colours of a picture that was laid on white, before it was laid there.

    picture: height x width x 3 float32, 0..1; alpha: height x width float32, 0..1. Returns the
    shape, dtype and range of picture; where the alpha is 0, nothing of it is known.
    """
    share = alpha[..., None]
    return np.asarray(((picture - (1 - share)) / np.maximum(share, 1 / 255)).clip(0, 1), np.float32)
