"""CycleDiffusion: exact, and plain noise where the model is right."""

from statistics import median

import pytest
import torch

from core.ancestral import spread
from core.inverters import cyclediffusion
from core.inverters.cyclediffusion import CycleDiffusion, drawn
from core.models.opening import open_model
from core.models.toy import VARIANCE
from core.noise_maps import Mapped
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
    assert isinstance(path, Mapped)
    steps = zip(path.maps, path.levels, path.levels[1:-1], strict=False)
    spreads = [float(drift.std()) / spread(here, there) for drift, here, there in steps]
    assert abs(median(spreads) - 1) < 0.05


def test_the_way_to_noise_is_one_way(x0: torch.Tensor) -> None:
    """A latent drawn from the posterior keeps most of the noise of the level before."""
    given = source(network(), x0, 10)
    z = given.levels[0].mix(x0, given.noise("noising", 0))
    level = given.levels[1]
    noise = (drawn(given, 1, z) - level.signal * x0) / level.noise
    assert abs(float(noise.std()) - 1) < 0.1
    assert float((noise * given.noise("noising", 0)).mean()) > 0.9
