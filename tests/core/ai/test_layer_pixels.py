"""From result to layer pixels: over the original they give the residual composite."""

import numpy as np
import pytest

from core.ai.colour import from_oklab, to_oklab
from core.ai.crop import unit
from core.ai.layer_pixels import layer_pixels, take_off_white
from core.ai.masks import composite_mask, transition
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
    mask = composite_mask(PAINTED, lengths)[..., None]
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


@pytest.mark.parametrize("low", [1, 4, 16, 128])
def test_a_low_mask_value_changes_the_picture_by_that_share(low: int) -> None:
    """The result is as different from the original as a picture can be."""
    painted = np.maximum(PAINTED, low).astype(np.uint8)
    lengths = transition(BOX, 0.3)
    result = (CROP < 128)[..., :3].astype(np.float32)
    got = _over(layer_pixels(CROP, painted, result, result, lengths, 1.0))
    far = np.ones(painted.shape, bool)
    far[BOX.pad(lengths.reach + 1).slices] = False
    change = np.abs(got[far].astype(int) - CROP[far])
    wanted = np.abs(result[far] * 255 - CROP[far]) * low / 255
    assert np.abs(change - wanted).max() <= 2
    assert change.max() <= low + 2


def test_what_is_transparent_below_stays_so() -> None:
    opacity = np.full((160, 160), 255, np.uint8)
    opacity[:, :70] = 0
    everything = np.full((160, 160), 255, np.uint8)
    lengths, whole = transition(Rect(0, 0, 160, 160), 1.0), unit(CROP)
    pixels = layer_pixels(CROP, everything, whole, whole, lengths, 1.0, opacity)
    assert np.array_equal(pixels[..., 3], opacity)
    assert not pixels[:, :70].any()


def test_a_soft_edge_keeps_its_colour_and_nearly_its_alpha() -> None:
    """A red picture, soft at its left, edited into itself: no white shines through."""
    alpha = np.tile(np.linspace(0, 255, 160).astype(np.uint8), (160, 1))
    share = unit(alpha)[..., None]
    on_white = np.concatenate([np.ones_like(share), 1 - share, 1 - share], axis=2)
    everything, lengths = np.full((160, 160), 255, np.uint8), transition(Rect(0, 0, 160, 160), 1.0)
    crop = np.rint(on_white * 255).astype(np.uint8)
    pixels = layer_pixels(crop, everything, on_white, on_white, lengths, 1.0, alpha)
    assert pixels[..., 1:3].max() <= 2
    gain = pixels[..., 3].astype(int) * (255 - alpha.astype(int)) // 255
    assert gain.max() <= 40
    nothing = layer_pixels(crop, everything, on_white, on_white, lengths, 0.0, alpha)
    assert not nothing.any(), "an edit of strength 0 gives back the picture"


def test_white_is_taken_off() -> None:
    colour = np.full((1, 1, 3), 0.25, np.float32)
    for value in (1.0, 0.5, 0.1):
        laid = colour * value + (1 - value)
        got = take_off_white(laid, np.full((1, 1), value, np.float32))
        assert np.allclose(got, colour, atol=1e-5)
