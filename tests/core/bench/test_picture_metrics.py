"""Metrics against scikit-image and closed forms."""

import numpy as np
import pytest
import torch

from core.bench.picture_metrics import Floats, mse, psnr, ssim, structure_distance


def pictures() -> tuple[Floats, Floats]:
    random = np.random.default_rng(0)
    one = random.random((40, 48, 3), np.float32)
    return one, np.clip(one + 0.1 * random.standard_normal(one.shape, np.float32), 0, 1)


def test_equal_pictures() -> None:
    one, _ = pictures()
    assert mse(one, one) == 0
    assert psnr(one, one) == 99
    assert ssim(one, one) == pytest.approx(1)


def test_a_constant_difference_is_its_square() -> None:
    one = np.full((20, 20, 3), 0.3, np.float32)
    half = np.zeros((20, 20), bool)
    half[:10] = True
    other = one.copy()
    other[:10] += 0.1
    assert mse(one, other) == pytest.approx(0.005, rel=1e-4)
    assert mse(one, other, half) == pytest.approx(0.01, rel=1e-4)
    assert psnr(one, other, half) == pytest.approx(20, rel=1e-4)
    assert psnr(one, other, ~half) == 99
    assert np.isnan(psnr(one, other, np.zeros((20, 20), bool)))


def test_ssim_is_the_published_formula() -> None:
    one, other = pictures()
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2))[..., None]
    window /= window.sum()
    for y, x in ((9, 12), (20, 30)):
        a, b = (p[y - 5 : y + 6, x - 5 : x + 6].astype(float) for p in (one, other))
        mean_a, mean_b = (window * a).sum((0, 1)), (window * b).sum((0, 1))
        spread_a, spread_b = (
            (window * (a - mean_a) ** 2).sum((0, 1)),
            (window * (b - mean_b) ** 2).sum((0, 1)),
        )
        common = (window * (a - mean_a) * (b - mean_b)).sum((0, 1))
        above = (2 * mean_a * mean_b + 1e-4) * (2 * common + 9e-4)
        below = (mean_a**2 + mean_b**2 + 1e-4) * (spread_a + spread_b + 9e-4)
        spot = np.zeros(one.shape[:2], bool)
        spot[y, x] = True
        assert ssim(one, other, spot) == pytest.approx(float((above / below).mean()), abs=1e-6)


def test_structure_is_blind_to_scale_and_sees_a_new_order() -> None:
    features = torch.randn(5, 4, 4, generator=torch.Generator().manual_seed(0))
    assert structure_distance(features, 3 * features) < 1e-10
    assert structure_distance(features, features.flip(2)) > 0.01
