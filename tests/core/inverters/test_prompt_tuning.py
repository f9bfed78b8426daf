"""Prompt Tuning Inversion: the picture comes back, and edits are a mixture of words."""

from typing import Any

import pytest
import torch

from core.editing.inversion import Branches
from core.inverters.ddim import DdimInversion
from core.inverters.prompt_tuning import SHARE, PromptTuningInversion
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def path(x0: torch.Tensor) -> Any:
    return inverted(PromptTuningInversion, source(network(), x0, 5, 7.5))[0]


def test_guided_it_comes_back_closer_than_ddim_inversion(path: Any, x0: torch.Tensor) -> None:
    given = source(network(), x0, 5, 7.5)
    plain, _ = inverted(DdimInversion, given)
    assert error(replayed(path, given), x0) < 0.7 * error(replayed(plain, given), x0)


def test_edits_follow_a_mixture_and_the_source_its_own_words(path: Any) -> None:
    words = network().embed(["a cat", "a dog", "a house"])
    found = path.prompt_embeddings(2, words)
    own = path.embeddings[2].tokens
    assert found.prompts == words.prompts
    assert torch.equal(found.tokens[:1], own)
    assert torch.allclose(found.tokens[1:], SHARE * words.tokens[1:] + (1 - SHARE) * own, atol=1e-6)
    assert len(path.prompt_embeddings(2, network().embed(["a cat"]))) == 1


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_of_the_mixture(
    share: float, path: Any, x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path, "share", share)
    given = source(network(), x0, 5, 7.5)
    words = network().embed(["a red apple", "a dog"])
    state = path.begin(2)
    for i in range(len(path.levels) - 1):
        told = path.prompt_embeddings(i, words)
        if share == 1:
            assert torch.equal(told.tokens[1], words.tokens[1])
        state, _ = path.step(i, state, Branches(network(), told, (7.5, 7.5), given.negative))
    source_end, edit_end = path.latent(state)
    assert torch.allclose(source_end, replayed(path, given)[0], atol=1e-4)
    assert torch.allclose(edit_end, source_end, atol=1e-4) == (share == 0)
