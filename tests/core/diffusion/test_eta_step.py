"""The stochastic move: the right amount of noise at every level, none at eta nought."""

import pytest
import torch

from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.model import Level, Prediction
from core.models.opening import open_model

LEVELS = open_model("toy").levels(8)
PAIRS = list(zip(LEVELS, LEVELS[1:], strict=False))


def seen() -> Prediction:
    generator = torch.Generator().manual_seed(0)
    return Prediction(*(torch.randn(1, 3, 4, 4, generator=generator) for _ in range(2)))


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_the_noise_at_the_next_level_adds_up(eta: float) -> None:
    given = seen()
    for here, there in PAIRS:
        kept = (step_mean(given, here, there, eta) - there.signal * given.x0) / given.eps
        total = kept.square() + step_sigma(here, there, eta) ** 2
        assert torch.allclose(total, torch.tensor(float(there.noise) ** 2), atol=1e-5)


def test_eta_one_is_the_posterior_of_ddpm() -> None:
    for here, there in PAIRS[1:-1]:
        ratio = (here.signal / there.signal) ** 2
        posterior = there.noise**2 / here.noise**2 * (1 - ratio)
        assert step_sigma(here, there) ** 2 == pytest.approx(posterior)


def test_on_a_straight_flow_it_is_the_same_move_but_for_the_scale() -> None:
    """Latents in units of their signal know nothing of what signal and noise add up to."""
    given = seen()
    for pair in PAIRS[1:]:
        here, there = (Level(s / (s + n), n / (s + n), time) for s, n, time in pair)
        scale = there.signal / pair[1].signal
        assert step_sigma(here, there) == pytest.approx(scale * step_sigma(*pair))
        assert torch.allclose(
            step_mean(given, here, there), scale * step_mean(given, *pair), atol=1e-5
        )


def test_eta_nought_is_ddim_and_the_end_takes_no_noise() -> None:
    given = seen()
    for here, there in PAIRS:
        assert torch.allclose(step_mean(given, here, there, 0.0), given.at(there), atol=1e-6)
    assert step_sigma(*PAIRS[-1]) == 0
