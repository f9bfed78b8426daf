"""Edit-friendly DDPM inversion: exact, with strong maps that pull against their neighbours."""

import pytest
import torch

from core.diffusion.eta_step import step_sigma
from core.editing.noise_maps import NoiseMapPath
from core.inverters.edit_friendly import EditFriendly
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_source_comes_back(guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, guidance)
    path, _ = inverted(EditFriendly, given)
    assert error(replayed(path, given), x0) < 1e-5


def test_every_level_has_a_noise_of_its_own(x0: torch.Tensor) -> None:
    given = source(network(), x0, 10)
    path, _ = inverted(EditFriendly, given)
    first = path.begin(1)
    second, _ = path.step(0, first, given.denoiser())
    noises = [
        (path.latent(state) - level.signal * x0) / level.noise
        for state, level in zip((first, second), path.levels[:2], strict=True)
    ]
    assert all(abs(float(noise.std()) - 1) < 0.1 for noise in noises)
    assert abs(_correlation(*noises)) < 0.1


def test_maps_are_strong_and_pull_against_their_neighbours(x0: torch.Tensor) -> None:
    path, _ = inverted(EditFriendly, source(network(), x0, 20))
    assert isinstance(path, NoiseMapPath)
    steps = zip(path.maps, path.levels, path.levels[1:-1], strict=False)
    noises = [drift / step_sigma(here, there) for drift, here, there in steps]
    assert all(noise.std() > 1 for noise in noises)
    neighbours = list(zip(noises, noises[1:], strict=False))
    mean = sum(_correlation(*pair) for pair in neighbours) / len(neighbours)
    assert -0.6 < mean < -0.35


def _correlation(one: torch.Tensor, two: torch.Tensor) -> float:
    return float((one * two).mean() / (one.std() * two.std()))
