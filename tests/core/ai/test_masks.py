"""The denoise mask and the composite mask."""

import numpy as np
import pytest

from core.ai import masks
from core.geometry import Rect
from core.paint.tiles import Pixels

SIZES = [(0.3, 256, 10), (1.0, 256, 36), (0.3, 512, 21), (0.0, 256, 1)]


@pytest.mark.parametrize(("change", "side", "feather"), SIZES)
def test_lengths_are_those_of_the_reference(change: float, side: int, feather: int) -> None:
    lengths = masks.transition(Rect(0, 0, side, side), change)
    assert lengths.feather == feather
    assert lengths.reach == 4 + feather
    assert lengths.blend == min(25, 3 + feather)


def _disc(side: int = 200, radius: int = 30) -> Pixels:
    y, x = np.mgrid[:side, :side] - side // 2
    return np.asarray(255 * (x * x + y * y <= radius * radius), np.uint8)


@pytest.mark.parametrize("change", [0.0, 0.3, 1.0])
def test_painted_is_full_and_beyond_reach_is_nothing(change: float) -> None:
    painted = _disc()
    lengths = masks.transition(Rect(70, 70, 61, 61), change)
    denoise = masks.denoise_mask(painted, lengths)
    shown = masks.composite_mask(denoise, lengths)
    assert (denoise[painted > 0] == 255).all()
    assert (shown[painted > 0] == 1).all()
    y, x = np.mgrid[:200, :200] - 100
    far = np.hypot(x, y) > 30 + lengths.reach
    assert denoise[far].max() == 0
    assert shown[far].max() == 0


def test_both_fall_smoothly_to_the_outside() -> None:
    lengths = masks.transition(Rect(70, 70, 61, 61), 1.0)
    denoise = masks.denoise_mask(_disc(), lengths)
    line, shown = denoise[100, 100:].astype(int), masks.composite_mask(denoise, lengths)[100, 100:]
    assert (np.diff(line) <= 0).all()
    assert np.diff(line).min() >= -255 / lengths.feather - 2
    assert (np.diff(shown) <= 0).all()
    assert np.diff(shown).min() > -0.1


def test_the_denoise_ramp_is_the_dilated_then_box_blurred_edge() -> None:
    """On a straight edge the distance ramp equals the reference's dilate and linear blur."""
    painted = np.zeros((1, 300), np.uint8)
    painted[:, :150] = 255
    lengths = masks.Transition(4, 20, 20)
    grown = np.zeros(300)
    grown[: 150 + 4 + 10] = 255
    blurred = np.convolve(grown, np.full(20, 1 / 20), "same")
    tall = np.repeat(painted, 3, 0)
    got = masks.denoise_mask(tall, lengths)[1].astype(float)
    np.testing.assert_allclose(got[50:250], blurred[50:250], atol=255 / 20 + 1)


def test_a_soft_stroke_asks_for_less_change() -> None:
    painted = (_disc() // 5).astype(np.uint8)
    lengths = masks.transition(Rect(70, 70, 61, 61), 1.0)
    denoise = masks.denoise_mask(painted, lengths)
    assert denoise.max() == 51
    assert np.array_equal(denoise > 0, painted > 0)


def test_a_soft_stroke_beside_a_firm_one_keeps_its_amount() -> None:
    painted = _disc(radius=10)
    painted[170:190, 170:190] = 51
    lengths = masks.transition(Rect(90, 90, 100, 100), 0.3)
    denoise = masks.denoise_mask(painted, lengths)
    assert (denoise[170:190, 170:190] == 51).all()
    assert denoise[100, 100] == 255


def test_a_mask_that_fills_the_crop_has_no_edge() -> None:
    everything = np.full((20, 30), 255, np.uint8)
    lengths = masks.transition(Rect(0, 0, 30, 20), 1.0)
    denoise = masks.denoise_mask(everything, lengths)
    assert (denoise == 255).all()
    assert (masks.composite_mask(denoise, lengths) == 1).all()


def test_at_the_border_of_the_canvas_nothing_fades() -> None:
    painted = np.zeros((100, 200), np.uint8)
    painted[:, :60] = 255
    lengths = masks.transition(Rect(0, 0, 60, 100), 1.0)
    shown = masks.composite_mask(masks.denoise_mask(painted, lengths), lengths)
    assert (shown[:, 0] == 1).all()
    assert (shown[0] == shown[50]).all()
