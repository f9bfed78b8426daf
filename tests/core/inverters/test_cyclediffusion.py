"""CycleDiffusion: exact, and plain noise where the model is right."""

from statistics import median

import pytest
import torch

from core.diffusion.eta_step import step_sigma
from core.editing.noise_maps import NoiseMapPath
from core.inverters import cyclediffusion
from core.inverters.cyclediffusion import CycleDiffusion, sample_posterior
from core.models.opening import open_model
from core.models.toy import VARIANCE
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_source_comes_back(guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, guidance)
    path, _ = inverted(CycleDiffusion, given)
    assert error(replayed(path, given), x0) < 1e-5


def test_maps_are_plain_noise_where_the_model_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy knows its Gaussian exactly; all noise is asked for, where each step is small."""
    monkeypatch.setattr(cyclediffusion, "ETA", 1.0)
    toy = open_model("toy")
    colour = toy.embed(["a red apple"]).tokens[:, 0].repeat_interleave(64, 1)[:, :, None, None]
    generator = torch.Generator().manual_seed(0)
    x0 = colour + VARIANCE**0.5 * torch.randn(1, 192, 8, 8, generator=generator)
    path, _ = inverted(CycleDiffusion, source(toy, x0, 100))
    assert isinstance(path, NoiseMapPath)
    steps = zip(path.maps, path.levels, path.levels[1:-1], strict=False)
    spreads = [float(drift.std()) / step_sigma(here, there) for drift, here, there in steps]
    assert abs(median(spreads) - 1) < 0.05


@pytest.mark.parametrize("eta", [0.1, 1.0])
def test_latents_drawn_are_the_picture_under_noise(
    eta: float, x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cyclediffusion, "ETA", eta)
    noise = noise_drawn(x0)
    assert abs(float(noise.mean())) < 0.1
    assert abs(float(noise.std()) - 1) < 0.1


def test_the_way_to_noise_is_one_way(x0: torch.Tensor) -> None:
    before = source(network(), x0, 10).noise("noising", 0)
    assert float((noise_drawn(x0) * before).mean()) > 0.9


def noise_drawn(x0: torch.Tensor) -> torch.Tensor:
    """The noise in the second latent of the way."""
    given = source(network(), x0, 10)
    z = given.levels[0].mix(x0, given.noise("noising", 0))
    level = given.levels[1]
    return (sample_posterior(given, 1, z) - level.signal * x0) / level.noise
