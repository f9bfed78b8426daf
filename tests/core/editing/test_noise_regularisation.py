"""What tells noise from a picture, and steps along the slopes."""

import torch

from core.editing.noise_regularisation import correlation, divergence, loss_gradient


def noise(side: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(seed))


def smooth() -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(noise(18), 3, stride=1) * 3


def test_smooth_noise_is_correlated() -> None:
    assert correlation(smooth(), 0) > 5 * correlation(noise(), 0)


def test_correlations_are_found_at_the_shift_they_have() -> None:
    stripes = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(2).expand(1, 1, 8, 8)
    assert float(correlation(stripes, 0)) == 1.0
    assert float(correlation(stripes, 1)) == 2.0


def test_a_step_down_the_slope_makes_noise_of_what_is_smooth() -> None:
    before = smooth()
    after = before - 4 * loss_gradient(before, lambda e: correlation(e, 0))
    assert correlation(after, 0) < correlation(before, 0)


def test_patches_diverge_from_others_alone() -> None:
    wanted = noise()
    assert abs(float(divergence(wanted, wanted))) < 1e-4
    assert divergence(2 * wanted, wanted) > 100
    assert divergence(wanted + 1, wanted) > 50


def test_divergence_is_the_gaussians_own() -> None:
    one, two = noise(4, 1), noise(4, 2)
    (mean, wanted_mean), (deviation, wanted_deviation) = (
        [part.mean((-2, -1)) for part in (one, two)],
        [part.std((-2, -1)) for part in (one, two)],
    )
    exact = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, deviation),
        torch.distributions.Normal(wanted_mean, wanted_deviation),
    )
    assert torch.allclose(divergence(one, two), 2 * exact.sum(), rtol=1e-4)


def test_slopes_are_gradients_and_leave_the_noise_alone() -> None:
    given = noise()
    assert torch.allclose(loss_gradient(given, lambda e: e.square().sum()), 2 * given)
    assert not given.requires_grad
