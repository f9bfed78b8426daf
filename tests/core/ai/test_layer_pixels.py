"""From result to layer pixels: over the original they give the residual composite."""

import numpy as np
import pytest

from core.ai.colour import from_oklab, to_oklab
from core.ai.crop import unit
from core.ai.layer_pixels import layer_pixels
from core.ai.masks import composite_mask, denoise_mask, transition
from core.geometry import Rect
from core.paint.tiles import Pixels

BOX = Rect(50, 60, 40, 40)
RANDOM = np.random.default_rng(0)
CROP: Pixels = RANDOM.integers(40, 200, (160, 160, 3), np.uint8)
PAINTED = np.zeros((160, 160), np.uint8)
PAINTED[BOX.slices] = 255


def _over(pixels: Pixels) -> Pixels:
    """Source-over in bytes."""
    alpha = pixels[..., 3:].astype(float) / 255
    return np.rint(pixels[..., :3] + CROP * (1 - alpha)).astype(np.uint8)


@pytest.mark.parametrize("amount", [0.2, 1.0])
def test_over_the_original_it_is_the_mixture_through_the_composite_mask(amount: float) -> None:
    lengths = transition(BOX, amount)
    original = unit(CROP)
    result = original.copy()
    result[BOX.slices] = result[BOX.slices] * 0.5 + 0.2
    round_trip = original if amount < 1 else result
    got = _over(layer_pixels(CROP, PAINTED, result, round_trip, lengths, amount))
    mask = composite_mask(denoise_mask(PAINTED, lengths), lengths)[..., None]
    wanted = (original + mask * (result - original)) * 255
    assert np.abs(got - wanted).max() <= 1.5
    outside = mask[..., 0] == 0
    assert np.array_equal(got[outside], CROP[outside])


def test_a_colour_shift_of_the_codec_is_taken_back() -> None:
    lengths = transition(BOX, 1.0)
    original = unit(CROP)
    result = from_oklab(to_oklab(original) + np.array([0.03, 0.01, 0.0], np.float32))
    got = _over(layer_pixels(CROP, PAINTED, result, original, lengths, 1.0))
    before = np.abs(result * 255 - CROP)[BOX.slices].mean()
    assert np.abs(got.astype(float) - CROP)[BOX.slices].mean() < before / 3
