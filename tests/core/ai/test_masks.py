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
    shown = masks.composite_mask(painted, lengths)
    assert (denoise[painted > 0] == 255).all()
    assert (shown[painted > 0] == 1).all()
    y, x = np.mgrid[:200, :200] - 100
    far = np.hypot(x, y) > 30 + lengths.reach
    assert denoise[far].max() == 0
    assert shown[far].max() == 0


def test_both_fall_smoothly_to_the_outside() -> None:
    lengths = masks.transition(Rect(70, 70, 61, 61), 1.0)
    denoise = masks.denoise_mask(_disc(), lengths)
    line, shown = denoise[100, 100:].astype(int), masks.composite_mask(_disc(), lengths)[100, 100:]
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
    assert denoise.max() == round(51 * 255 / masks.FIRM)
    assert np.array_equal(denoise > 0, painted > 0)
    assert np.allclose(masks.composite_mask(painted, lengths), painted / 255)


def test_a_soft_stroke_beside_a_firm_one_keeps_its_amount() -> None:
    painted = _disc(radius=10)
    painted[170:190, 170:190] = 51
    lengths = masks.transition(Rect(90, 90, 100, 100), 0.3)
    denoise = masks.denoise_mask(painted, lengths)
    assert (denoise[170:190, 170:190] == round(51 * 255 / masks.FIRM)).all()
    assert denoise[100, 100] == 255


def test_a_mask_that_fills_the_crop_has_no_edge() -> None:
    everything = np.full((20, 30), 255, np.uint8)
    lengths = masks.transition(Rect(0, 0, 30, 20), 1.0)
    denoise = masks.denoise_mask(everything, lengths)
    assert (denoise == 255).all()
    assert (masks.composite_mask(everything, lengths) == 1).all()


def test_at_the_border_of_the_canvas_nothing_fades() -> None:
    painted = np.zeros((100, 200), np.uint8)
    painted[:, :60] = 255
    lengths = masks.transition(Rect(0, 0, 60, 100), 1.0)
    shown = masks.composite_mask(painted, lengths)
    assert (shown[:, 0] == 1).all()
    assert (shown[0] == shown[50]).all()


@pytest.mark.parametrize("value", range(0, 256, 5))
def test_a_painted_value_is_the_weight_of_the_result(value: int) -> None:
    painted = np.full((30, 40), value, np.uint8)
    lengths = masks.transition(Rect(0, 0, 40, 30), 1.0)
    np.testing.assert_allclose(masks.composite_mask(painted, lengths), value / 255, atol=1e-6)


@pytest.mark.parametrize("low", [1, 2, 5, 8, 16, 64])
def test_beside_firm_paint_a_low_value_keeps_its_weight(low: int) -> None:
    painted = np.maximum(_disc(), low).astype(np.uint8)
    lengths = masks.transition(Rect(70, 70, 61, 61), 0.3)
    shown = masks.composite_mask(painted, lengths)
    y, x = np.mgrid[:200, :200] - 100
    far = np.hypot(x, y) > 30 + lengths.reach
    np.testing.assert_allclose(shown[far], low / 255, atol=1e-6)
    assert (shown[100, 80:120] == 1).all()
    denoise = masks.denoise_mask(painted, lengths)
    assert (denoise[far] > 0).all() == (low > masks.FAINT)


def test_a_gradient_gives_a_gradient_without_a_jump() -> None:
    painted = np.tile(np.arange(256, dtype=np.uint8), (200, 1))
    shown = masks.composite_mask(painted, masks.transition(Rect(0, 0, 256, 200), 1.0))
    assert (shown >= painted / np.float32(255) - 1e-6).all()
    assert (np.diff(shown, axis=1) >= 0).all()
    assert np.diff(shown, axis=1).max() < 0.06


def test_firmer_paint_reaches_further_into_its_surroundings() -> None:
    lengths = masks.transition(Rect(70, 70, 61, 61), 1.0)
    just_outside = (100, 100 + 36)
    values = [
        float(masks.composite_mask((_disc() // 255 * np.uint8(v)), lengths)[just_outside])
        for v in (127, 128, 180, 255)
    ]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[3] > 0.9


def test_paint_that_is_faint_all_over_still_counts() -> None:
    painted = np.full((10, 10), 4, np.uint8)
    assert (masks.denoise_mask(painted, masks.transition(Rect(0, 0, 10, 10), 1.0)) == 8).all()


def test_a_confined_edit_reaches_no_pixel_outside_and_fades_in_within() -> None:
    painted, bounds = _disc(), Rect(70, 70, 61, 61)
    lengths = masks.transition(bounds, 1.0, confined=True)
    assert np.array_equal(masks.denoise_mask(painted, lengths) > 0, painted > 0)
    assert np.array_equal(masks.composite_mask(painted, lengths) > 0, painted > 0)
    most = masks.inner_edge(painted, bounds)
    assert not most[painted == 0].any()
    assert most[100, 100] == 255
    line = most[100, 100:].astype(int)
    assert (np.diff(line) <= 0).all()
    assert 0 < line[30] < 255


def test_a_confined_edit_of_everything_has_no_edge() -> None:
    everything = np.full((20, 30), 255, np.uint8)
    assert (masks.inner_edge(everything, Rect(0, 0, 30, 20)) == 255).all()
