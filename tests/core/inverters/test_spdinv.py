"""SPDInv: a longer search comes back closer, at every guidance of the edit."""

import pytest
import torch

from core.inverters import spdinv
from core.inverters.negative_prompt import NegativePromptInversion
from core.inverters.spdinv import SpdInversion
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_a_longer_search_comes_back_closer(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for rounds in (0, 5, 15):
        monkeypatch.setattr(spdinv, "ROUNDS", rounds)
        given = source(network(), x0, 5, 1.0)
        path, _ = inverted(SpdInversion, given)
        found.append(error(replayed(path, given), x0))
    assert found[0] > found[1] > found[2]


def test_guidance_does_not_move_the_source(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spdinv, "ROUNDS", 3)
    ends = []
    for guidance in (1.0, 7.5):
        given = source(network(), x0, 5, guidance)
        path, _ = inverted(SpdInversion, given)
        ends.append(replayed(path, given))
    assert error(ends[1], ends[0]) < 1e-5


def test_without_a_search_it_is_negative_prompt_inversion(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spdinv, "ROUNDS", 0)
    given = source(network(), x0, 5, 7.5)
    plain, _ = inverted(NegativePromptInversion, given)
    path, _ = inverted(SpdInversion, given)
    assert error(replayed(path, given), replayed(plain, given)) < 1e-5
