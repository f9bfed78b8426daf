"""Dual-Conditional Inversion: the pull is a length, and without it the search is SPDInv's."""

import pytest
import torch

from core.inverters import dual_conditional, spdinv
from core.inverters.dual_conditional import DualConditionalInversion, pull_noise
from core.inverters.spdinv import SpdInversion
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_noise_goes_a_fixed_length_towards_the_picture(x0: torch.Tensor) -> None:
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(1))
    after = pull_noise(eps, x0)
    assert abs(float((after - eps).norm()) - 1) < 1e-4
    assert abs(float((eps - x0).norm() - (after - x0).norm()) - 1) < 1e-4
    assert torch.equal(pull_noise(x0, x0), x0)


def test_the_pull_follows_the_slope_of_the_distance(x0: torch.Tensor) -> None:
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (slope,) = torch.autograd.grad((eps - x0).norm(), eps)
    assert torch.allclose(pull_noise(eps, x0), eps - slope, atol=1e-6)


def test_a_longer_search_comes_back_closer(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for rounds in (0, 10):
        monkeypatch.setattr(dual_conditional, "ROUNDS", rounds)
        given = source(network(), x0, 5, 1.0)
        path, _ = inverted(DualConditionalInversion, given)
        found.append(error(replayed(path, given), x0))
    assert found[0] > found[1]


def test_without_a_pull_it_is_spdinv(x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdinv, "ROUNDS", 4)
    monkeypatch.setattr(dual_conditional, "ROUNDS", 4)
    given = source(network(), x0, 4, 7.5)
    other, _ = inverted(SpdInversion, given)
    pulled, _ = inverted(DualConditionalInversion, given)
    monkeypatch.setattr(dual_conditional, "PULL_RATE", 0.0)
    path, _ = inverted(DualConditionalInversion, given)
    assert torch.equal(path.begin(1)[0], other.begin(1)[0])
    assert not torch.equal(pulled.begin(1)[0], other.begin(1)[0])
