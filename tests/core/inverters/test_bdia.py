"""BDIA: exact at the calls of DDIM as long as GAMMA is nearly 1."""

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.editing.inversion import Branches, select_rows
from core.editing.two_step_inversion import LevelTriple
from core.inverters import bdia
from core.inverters.bdia import Bdia
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("gamma", [1.0, 0.96])
@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_source_comes_back(
    gamma: float, guidance: float, x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bdia, "GAMMA", gamma)
    given = source(network(), x0, 10, guidance)
    path, _ = inverted(Bdia, given)
    assert error(replayed(path, given), x0) < 1e-4


def test_half_a_leap_does_not_come_back(x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bdia, "GAMMA", 0.5)
    given = source(network(), x0, 25)
    path, _ = inverted(Bdia, given)
    assert error(replayed(path, given), x0) > 1e-4


def test_no_leap_is_ddim(monkeypatch: pytest.MonkeyPatch, x0: torch.Tensor) -> None:
    monkeypatch.setattr(bdia, "GAMMA", 0.0)
    around = LevelTriple(Level(0.6, 0.8, 600.0), Level(0.8, 0.6, 400.0), Level(1.0, 0.0, 0.0))
    prediction = Prediction(x0, x0.flip(-1))
    assert torch.equal(bdia.step_down(x0, x0, prediction, around), prediction.at(around.cleaner))


def test_an_edit_with_the_sources_words_is_the_source(x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, 3.0)
    path, _ = inverted(Bdia, given)
    state = path.begin(2)
    for i in range(len(path.levels) - 1):
        denoise = Branches(
            given.model, select_rows(given.embeddings, [0, 0]), (3.0, 3.0), given.negative
        )
        state, _ = path.step(i, state, denoise)
    assert error(path.latent(state)[1:], x0) < 1e-4


def test_one_step_comes_back(x0: torch.Tensor) -> None:
    given = source(network(), x0, 2)
    assert len(given.levels) == 2
    path, _ = inverted(Bdia, given)
    assert error(replayed(path, given), x0) < 1e-5
