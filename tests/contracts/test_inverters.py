"""What every inverter owes, run over the registry on a tiny random network."""

from typing import Any

import pytest
import torch

from core import catalog
from tests.contracts.papers import check_paper
from tests.core.inverting import inverted, network, replayed, source

catalog.load("inverters")
INVERTERS = list(catalog.inverters)
STEPS = 5

every = pytest.mark.parametrize("inverter", INVERTERS, ids=lambda kind: kind.id)


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    model = network()
    generator = torch.Generator().manual_seed(0)
    return 0.7 * torch.randn(1, model.channels, 8, 8, generator=generator)


@every
def test_says_what_it_is_and_who_published_it(inverter: Any) -> None:
    assert inverter.label
    assert "arXiv" in (inverter.__doc__ or "")
    check_paper(inverter)


@every
def test_yields_as_often_as_it_says(inverter: Any, x0: torch.Tensor) -> None:
    given = source(network(), x0, STEPS, 3.0)
    _, seen = inverted(inverter, given)
    assert seen == inverter().calls(len(given.levels) - 1)


@every
def test_the_same_picture_twice_is_the_same_path(inverter: Any, x0: torch.Tensor) -> None:
    results = []
    for _ in range(2):
        given = source(network(), x0, STEPS, 3.0)
        path, _ = inverted(inverter, given)
        results.append(replayed(path, given))
    assert torch.equal(*results)


@every
def test_branches_that_ask_for_the_same_stay_the_same(inverter: Any, x0: torch.Tensor) -> None:
    from core.editing.inversion import Branches, select_rows

    given = source(network(), x0, STEPS, 1.0)
    path, _ = inverted(inverter, given)
    state = path.begin(3)
    for i in range(len(path.levels) - 1):
        words = select_rows(given.embeddings, [0, 0, 0])
        denoise = Branches(
            given.model, path.prompt_embeddings(i, words), (1.0,) * 3, given.negative
        )
        state, seen = path.step(i, state, denoise)
        assert seen.shape[0] == 3
    latents = path.latent(state)
    assert latents.shape == (3, *x0.shape[1:])
    assert torch.allclose(latents[1], latents[2], atol=1e-5)


@every
def test_closing_early_stops(inverter: Any, x0: torch.Tensor) -> None:
    model = network()
    run = inverter().run(source(model, x0, STEPS, 3.0))
    next(run)
    calls = model.calls
    run.close()
    assert model.calls == calls
