"""Fixed-point inversion: repeating closes in, geometrically, at every guidance."""

import pytest
import torch

from core.inverters import fixed_point
from core.inverters.ddim import DdimInversion
from core.inverters.fixed_point import BestIterate, FixedPointInversion
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def errors(x0: torch.Tensor, guidance: float, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found = []
    for rounds in (0, 1, 3):
        monkeypatch.setattr(fixed_point, "ROUNDS", rounds)
        given = source(network(), x0, 8, guidance)
        path, _ = inverted(FixedPointInversion, given)
        found.append(error(replayed(path, given), x0))
    return found


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_more_rounds_come_back_closer(
    guidance: float, x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = errors(x0, guidance, monkeypatch)
    assert found[0] > found[1] > found[2]
    assert found[2] < 0.2 * found[0]


def test_no_round_is_plain_ddim_inversion(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixed_point, "ROUNDS", 0)
    given = source(network(), x0, 10)
    plain, _ = inverted(DdimInversion, given)
    found, _ = inverted(FixedPointInversion, given)
    assert error(found.begin(1)[0], plain.begin(1)[0]) < 1e-6


def test_a_guess_that_leads_away_is_not_kept() -> None:
    one = torch.ones(1, 1, 2, 2)
    found = BestIterate(one)
    for value in (1.5, 1.4, 3.0, 9.0):
        found.offer(value * one)
    assert torch.equal(found.best, 1.4 * one)
    assert torch.equal(found.guess, 9.0 * one)
