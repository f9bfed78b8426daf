"""The flow view: closed forms on a Gaussian, and levels that lie between a model's own."""

from typing import Any

import pytest
import torch

from core.diffusion.model import Level, Levels
from core.diffusion.rectified_flow import Flow, scale_of, time_of
from core.models.opening import open_model
from core.models.toy import VARIANCE
from tests.core.inverting import network

X = torch.randn(1, 192, 4, 4, generator=torch.Generator().manual_seed(0))


def spread(time: float) -> float:
    return float(((1 - time) ** 2 * VARIANCE + time**2) ** 0.5)


@pytest.fixture(scope="module")
def toy() -> Any:
    return open_model("toy")


def test_times_fall_with_the_levels(toy: Any) -> None:
    flow = Flow(toy, toy.levels(10))
    assert flow.times[0] == 1
    assert flow.times[-1] == 0
    assert list(flow.times) == sorted(flow.times, reverse=True)


def test_the_models_own_levels_are_met_exactly() -> None:
    model = network()
    levels = model.levels(7)
    flow = Flow(model, levels)
    for time, level in zip(flow.times, levels, strict=True):
        assert flow.level(time) == pytest.approx(level, abs=1e-6)


def test_between_levels_the_schedule_goes_on(toy: Any) -> None:
    """The toy keeps the power of its latents and labels them by their noise."""
    flow = Flow(toy, toy.levels(4))
    for time in (0.013, 0.2, 0.5001, 0.77, 0.99):
        level = flow.level(time)
        assert time_of(level) == pytest.approx(time, abs=1e-9)
        assert level.signal**2 + level.noise**2 == pytest.approx(1, abs=1e-4)
        assert level.time == pytest.approx(1000 * level.noise, rel=1e-2)


def test_a_flow_model_is_left_as_it_is() -> None:
    class Straight:
        def levels(self, steps: int) -> Levels:
            times = [1 - i / steps for i in range(steps + 1)]
            return tuple(Level(1 - time, time, time) for time in times)

    model: Any = Straight()
    flow = Flow(model, model.levels(3))
    for time in (0.0, 0.3, 0.61803, 1.0):
        assert flow.level(time) == pytest.approx((1 - time, time, time), abs=1e-9)
        assert torch.allclose(flow.to_model_latent(X, time), X)


def test_a_latent_goes_over_and_back(toy: Any) -> None:
    flow = Flow(toy, toy.levels(4))
    assert torch.allclose(flow.from_model_latent(flow.to_model_latent(X, 0.4), 0.4), X, atol=1e-6)
    level = flow.level(0.4)
    mixed = flow.from_model_latent(level.mix(X, X.flip(1)), 0.4)
    assert torch.allclose(mixed, 0.6 * X + 0.4 * X.flip(1), atol=1e-6)


@pytest.mark.parametrize("time", [0.05, 0.3, 0.5, 0.8, 0.97])
def test_the_velocity_of_a_gaussian(toy: Any, time: float) -> None:
    """Paths of a Gaussian flow keep their place in its spread, which gives the slope in time."""
    flow, words = Flow(toy, toy.levels(4)), toy.embed(["red"])
    mean = words.tokens[:, 0].repeat_interleave(64, 1)[:, :, None, None]
    growth = (time - (1 - time) * VARIANCE) / spread(time) ** 2
    wanted = -mean + growth * (X - (1 - time) * mean)
    found = flow.velocity(toy.denoiser(words), X, time)
    assert torch.allclose(found, wanted, atol=1e-3)


def test_a_clean_latent_is_shown_as_hardly_noisy() -> None:
    seen: list[Level] = []
    model = network()
    flow = Flow(model, model.levels(5))

    def denoise(z: torch.Tensor, level: Level, label: Level | None = None) -> Any:
        seen.append(level)
        return model.denoiser("")(z, level, label)

    flow.velocity(denoise, torch.zeros(1, 16, 8, 8), 0.0)
    assert 0 < seen[0].noise < 0.05
    assert scale_of(seen[0]) > 1
