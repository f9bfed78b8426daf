"""The search for a fixed point: nearer or as near, never further, and no call too many."""

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.editing.implicit_inversion import (
    LEARNING_RATE,
    FixedPointSearch,
    ddim_move,
    search_fixed_points,
)
from tests.core.inverting import error, inverted, network, source

ONE = torch.ones(1, 1, 2, 2)


def test_carried_noise_is_the_ddim_move() -> None:
    here, there = Level(0.6, 0.8, 500.0), Level(0.8, 0.6, 300.0)
    x0, eps = 2 * ONE, 3 * ONE
    moved = ddim_move(here.mix(x0, eps), eps, here, there)
    assert torch.allclose(moved, Prediction(x0, eps).at(there))


def test_a_search_closes_in_on_a_fixed_point() -> None:
    search = FixedPointSearch(ONE)
    losses = []
    for _ in range(60):
        search.update(0.5 * search.guess + 0.48)
        losses.append(search.loss)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]
    assert not search.best.requires_grad


def test_a_search_keeps_its_best() -> None:
    search = FixedPointSearch(ONE)
    search.update(0 * search.guess + 1.01)
    search.update(0 * search.guess + 9.0)
    assert torch.equal(search.best, ONE)
    assert abs(search.guess.max().item() - 1) <= 2.1 * LEARNING_RATE


def test_a_search_ends_when_it_is_near_enough() -> None:
    search = FixedPointSearch(ONE)
    search.update(search.guess * 1.1)
    assert not search.is_over
    search.update(search.guess * 1.001)
    assert search.is_over


def test_no_rounds_are_ddim_inversion_and_an_end_saves_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from core.editing import implicit_inversion
    from core.inverters.ddim import DdimInversion

    x0 = 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    given = source(network(), x0, 4)
    plain, _ = inverted(DdimInversion, given)
    monkeypatch.setattr(implicit_inversion, "CONVERGED_LOSS", 1e9)
    calls = network().calls
    run, yields = search_fixed_points(given, 7), 0
    while True:
        try:
            next(run)
            yields += 1
        except StopIteration as end:
            latents = end.value
            break
    steps = len(given.levels) - 1
    assert network().calls - calls == 2 * steps
    assert yields == 8 * steps
    assert error(latents[0], plain.begin(1)[0]) < 1e-5
