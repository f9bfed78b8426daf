"""Regularised inversion: noise becomes whiter and more normal, true noise stays, the source too."""

import pytest
import torch

from core.editing.noise_regularisation import correlation
from core.inverters import regularised as made
from core.inverters.direct import DirectInversion
from core.inverters.regularised import (
    RegularisedInversion,
    divergence_from_normal,
    regularise_noise,
)
from tests.core.inverting import inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def correlated(noise: torch.Tensor) -> float:
    return sum(float(correlation(noise, roll)) for roll in range(4))


def test_smooth_noise_is_roughened_and_comes_nearer_to_normal() -> None:
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    smooth = 0.5 + noise + noise.roll(1, 3) + noise.roll(1, 2)
    better = regularise_noise(smooth)
    assert correlated(better) < 0.5 * correlated(smooth)
    assert divergence_from_normal(better) < 0.9 * divergence_from_normal(smooth)


def test_the_standard_normal_has_no_distance() -> None:
    eps = torch.tensor([-1.0, 1.0]).repeat(5000)
    assert float(divergence_from_normal(eps)) == pytest.approx(0, abs=1e-4)
    assert float(divergence_from_normal(eps + 1)) == pytest.approx(1, abs=1e-3)
    assert float(divergence_from_normal(2 * eps)) == pytest.approx(4 - 1 - 1.38629, abs=1e-2)


def test_without_weights_it_is_direct_inversion(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "CORRELATION_WEIGHT", 0.0)
    monkeypatch.setattr(made, "NORMAL_WEIGHT", 0.0)
    given = source(network(), x0, 6)
    found, _ = inverted(RegularisedInversion, given)
    wanted, _ = inverted(DirectInversion, given)
    assert torch.allclose(found.begin(1)[0], wanted.begin(1)[0], atol=1e-4)


def test_the_source_is_given_back(x0: torch.Tensor) -> None:
    given = source(network(), x0, 6, 7.5)
    path, _ = inverted(RegularisedInversion, given)
    assert torch.equal(replayed(path, given), x0)
