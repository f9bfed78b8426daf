"""Classifier-free guidance against its formula, worked out by hand."""

import torch

from core.diffusion.guidance import guide, guide_prediction, guide_rows, rows_with_guidance
from core.diffusion.model import Prediction


def prediction(*rows: float) -> Prediction:
    """Rows of 1 x 2 x 2 filled with given values; the noise is their negative."""
    x0 = torch.tensor(rows)[:, None, None, None].expand(-1, 1, 2, 2)
    return Prediction(x0, -x0)


def test_guidance_goes_from_uncond_through_cond() -> None:
    uncond, cond = torch.full((1, 1, 2, 2), 2.0), torch.full((1, 1, 2, 2), 3.0)
    for scale, wanted in ((0.0, 2.0), (0.5, 2.5), (1.0, 3.0), (7.5, 9.5)):
        assert torch.equal(guide(uncond, cond, scale), torch.full((1, 1, 2, 2), wanted))


def test_a_scale_of_its_own_for_every_row() -> None:
    uncond, cond = torch.tensor([[1.0], [1.0]]), torch.tensor([[2.0], [3.0]])
    scale = torch.tensor([[4.0], [0.25]])
    assert guide(uncond, cond, scale).tolist() == [[5.0], [1.5]]


def test_content_and_noise_are_both_guided() -> None:
    found = guide_prediction(prediction(1.0), prediction(2.0), 3.0)
    assert torch.equal(found.x0, torch.full((1, 1, 2, 2), 4.0))
    assert torch.equal(found.eps, torch.full((1, 1, 2, 2), -4.0))


def test_guidance_leads_away_from_uncond() -> None:
    z = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    found = guide_prediction(Prediction(3 * z, z), Prediction(z, 2 * z), 3.0)
    assert torch.allclose(found.x0, -3 * z, atol=1e-5)
    assert torch.allclose(found.eps, 4 * z, atol=1e-5)


def test_guided_predictions_still_describe_the_latent() -> None:
    """z = signal * x0 + noise * eps holds for both, so it holds for every mixture of them."""
    z, signal, noise = torch.full((1, 1, 2, 2), 0.7), 0.8, 0.6
    one, two = (Prediction((z - noise * eps) / signal, eps) for eps in (z * 2, z - 3))
    found = guide_prediction(one, two, 5.0)
    assert torch.allclose(signal * found.x0 + noise * found.eps, z, atol=1e-5)


def test_only_rows_with_a_scale_are_guided() -> None:
    scales = (1.0, 3.0, 1.0, 0.0)
    assert rows_with_guidance(scales) == [1, 3]
    cond = prediction(1.0, 2.0, 3.0, 4.0)
    found = guide_rows(prediction(1.0, 7.0), cond, scales)
    assert found.x0[:, 0, 0, 0].tolist() == [1.0, 4.0, 3.0, 7.0]
    assert found.eps[:, 0, 0, 0].tolist() == [-1.0, -4.0, -3.0, -7.0]
    assert cond.x0[:, 0, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_rows_are_guided_exactly_like_one_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    uncond, cond = (Prediction(*torch.randn(2, 2, 3, 4, 4, generator=generator)) for _ in range(2))
    found = guide_rows(uncond, cond, (7.5, 2.3))
    for row, scale in enumerate((7.5, 2.3)):
        assert torch.equal(found.x0[row], guide(uncond.x0[row], cond.x0[row], scale))
        assert torch.equal(found.eps[row], guide(uncond.eps[row], cond.eps[row], scale))


def test_without_guidance_the_prediction_is_the_same_object() -> None:
    cond = prediction(1.0, 2.0)
    assert guide_rows(prediction(), cond, (1.0, 1.0)) is cond
