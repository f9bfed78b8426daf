"""Ring colour match."""

import numpy as np
import numpy.typing as npt
import pytest

from core.ai import colour

Floats = colour.Floats


def _scene(seed: int = 0) -> Floats:
    y, x = np.mgrid[:160, :160] / 160
    noise = np.random.default_rng(seed).normal(0, 0.02, (160, 160, 3))
    waves = 0.4 + 0.2 * np.sin(6 * x + 2 * y)
    picture = waves[..., None] * [1.0, 0.8, 0.6] + noise
    return np.asarray(picture.clip(0, 1), np.float32)


def _support() -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:160, :160] - 80
    return np.asarray(x * x + y * y < 30 * 30)


def _shifted(picture: Floats, by: tuple[float, float, float]) -> Floats:
    return colour.from_oklab(colour.to_oklab(picture) + np.array(by, np.float32))


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (1, 0, 0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_has_the_published_values(rgb: Floats, lab: Floats) -> None:
    got = colour.to_oklab(np.array([[rgb]], np.float32))[0, 0]
    np.testing.assert_allclose(got, lab, atol=2e-4)


def test_oklab_goes_there_and_back() -> None:
    picture = np.random.default_rng(1).uniform(0, 1, (20, 20, 3)).astype(np.float32)
    np.testing.assert_allclose(colour.from_oklab(colour.to_oklab(picture)), picture, atol=2e-4)


def test_a_shift_is_taken_back_inside_the_mask() -> None:
    original, support = _scene(), _support()
    result = original.copy()
    result[70:90, 70:90] = 0.9
    result = _shifted(result, (0.03, 0.01, -0.02))
    wanted = original.copy()
    wanted[70:90, 70:90] = 0.9
    band = colour.ring(support, 12)
    got = colour.match_colours(result, original, band, 12)
    before, after = (np.abs(p - wanted)[support].mean() for p in (result, got))
    assert after < before / 5


def test_what_is_inside_the_mask_does_not_dilute_the_measure() -> None:
    """Two results alike in the ring get the same correction, whatever is painted inside."""
    original, support = _scene(), _support()
    band = colour.ring(support, 12)
    shifted = _shifted(original, (0.03, 0.0, 0.0))
    painted = shifted.copy()
    painted[support] = (0.1, 0.9, 0.2)
    for picture in (shifted, painted):
        lab = colour.to_oklab(colour.match_colours(picture, original, band, 12))
        correction = (lab - colour.to_oklab(picture))[80, 80]
        np.testing.assert_allclose(correction, (-0.03, 0, 0), atol=3e-3)


def test_a_shift_that_varies_is_followed() -> None:
    original, support = _scene(), _support()
    lab = colour.to_oklab(original)
    lab[..., 0] += 0.03 * np.linspace(0.3, 1.7, 160, dtype=np.float32)
    band = colour.ring(support, 12)
    got = colour.match_colours(colour.from_oklab(lab), original, band, 12)
    error = np.abs(colour.to_oklab(got) - colour.to_oklab(original))[..., 0]
    assert error[support].mean() < 0.007


def test_less_than_one_unit_is_left_alone() -> None:
    original = _scene()
    result = _shifted(original, (0.004, 0, 0))
    band = colour.ring(_support(), 12)
    assert colour.match_colours(result, original, band, 12) is result


def test_an_edit_meant_for_the_whole_crop_is_left_alone() -> None:
    original = _scene()
    result = _shifted(original, (-0.25, 0, -0.05))
    assert colour.match_colours(result, original, colour.ring(_support(), 12), 12) is result


def test_without_a_ring_there_is_nothing_to_compare() -> None:
    original = _scene()
    result = _shifted(original, (0.05, 0, 0))
    band = colour.ring(np.ones((160, 160), bool), 12)
    assert colour.match_colours(result, original, band, 12) is result
