"""LEDITS++ inversion: exact for every guidance, by the published second-order step."""

import math

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.inverters.ledits import LeditsInversion, LeditsPath, step_mean
from core.models.opening import open_model
from core.models.toy import VARIANCE
from tests.core.inverting import error, inverted, network, replayed, source

LEVELS = (Level(0.4, 0.9165, 800), Level(0.6, 0.8, 600), Level(0.8, 0.6, 300), Level(1, 0, 0))


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("guidance", [1.0, 7.5])
@pytest.mark.parametrize("steps", [3, 10])
def test_the_source_comes_back(steps: int, guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, steps, guidance)
    path, calls = inverted(LeditsInversion, given)
    assert calls == len(given.levels) - 1
    assert error(replayed(path, given), x0) < 1e-5


def test_without_the_cleanest_map_it_does_not(x0: torch.Tensor) -> None:
    given = source(network(), x0, 5)
    path, _ = inverted(LeditsInversion, given)
    assert isinstance(path, LeditsPath)
    path.maps[-1] = torch.zeros_like(x0)
    assert error(replayed(path, given), x0) > 1e-2


def test_the_first_step_is_the_posterior_of_ddpm() -> None:
    """First order, in content and noise: what is left of the latent, and of the noise."""
    here, there = LEVELS[:2]
    generator = torch.Generator().manual_seed(1)
    prediction = Prediction(*(torch.randn(1, 2, 4, 4, generator=generator) for _ in range(2)))
    kept = (there.noise / here.noise) ** 2 * here.signal / there.signal
    share = there.signal * (1 - (here.signal * there.noise / (here.noise * there.signal)) ** 2)
    wanted = kept * here.mix(*prediction) + share * prediction.x0
    assert torch.allclose(
        step_mean(here.mix(*prediction), prediction, None, LEVELS, 0), wanted, atol=1e-6
    )


def test_the_second_step_looks_ahead_by_half_a_step() -> None:
    z, content, before = torch.zeros(1), torch.tensor([2.0]), torch.tensor([1.0])
    ratio = [math.log(level.signal / level.noise) for level in LEVELS[:3]]
    ahead = content + 0.5 * (ratio[2] - ratio[1]) / (ratio[1] - ratio[0]) * (content - before)
    first = step_mean(z, Prediction(content, z), None, LEVELS, 1)
    second = step_mean(z, Prediction(content, z), before, LEVELS, 1)
    assert torch.allclose(second / first, ahead / content)


def test_the_cleanest_level_is_the_content_itself() -> None:
    content = torch.tensor([2.0])
    assert torch.equal(
        step_mean(content * 9, Prediction(content, content), content, LEVELS, 2), content
    )


def test_a_perfect_model_leaves_maps_of_the_size_of_noise() -> None:
    """Larger than one in part, as the noised pictures do not share a path; but of its order."""
    model = open_model("toy")
    x0 = VARIANCE**0.5 * torch.randn(1, 192, 4, 4, generator=torch.Generator().manual_seed(0))
    given = source(model, x0, 20)
    path, _ = inverted(LeditsInversion, given)
    assert isinstance(path, LeditsPath)
    for i, found in enumerate(path.maps[:-1]):
        here, there = path.levels[i : i + 2]
        ratio = here.signal * there.noise / (here.noise * there.signal)
        spread = there.noise * math.sqrt(1 - ratio**2)
        assert 1 < float((found / spread).std()) < 7
