"""Metrics against scikit-image and closed forms."""

from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

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


def test_ssim_is_scikit_images() -> None:
    one, other = pictures()
    reference: Any = structural_similarity
    wanted = reference(
        one,
        other,
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    inner = np.zeros(one.shape[:2], bool)
    inner[6:-6, 6:-6] = True
    assert ssim(one, other, inner) == pytest.approx(float(wanted[inner].mean()), abs=2e-3)


def test_structure_is_blind_to_scale_and_sees_a_new_order() -> None:
    features = torch.randn(5, 4, 4, generator=torch.Generator().manual_seed(0))
    assert structure_distance(features, 3 * features) < 1e-10
    assert structure_distance(features, features.flip(2)) > 0.01
