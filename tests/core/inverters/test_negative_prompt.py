"""Negative-prompt inversion: the source is replayed alike at every guidance."""

import pytest
import torch

from core.inverters.ddim import DdimInversion
from core.inverters.negative_prompt import NegativePromptInversion
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_guidance_does_not_move_the_source(x0: torch.Tensor) -> None:
    ends = []
    for guidance in (1.0, 7.5):
        given = source(network(), x0, 10, guidance)
        path, _ = inverted(NegativePromptInversion, given)
        ends.append(replayed(path, given))
    assert error(ends[1], ends[0]) < 1e-5


def test_without_guidance_it_is_ddim_inversion(x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, 1.0)
    plain, _ = inverted(DdimInversion, given)
    path, _ = inverted(NegativePromptInversion, given)
    assert torch.equal(replayed(path, given), replayed(plain, given))


def test_every_step_stands_against_the_source_prompt(x0: torch.Tensor) -> None:
    given = source(network(), x0, 4, 7.5)
    path, _ = inverted(NegativePromptInversion, given)
    for i in range(len(path.levels) - 1):
        negative = path.negative_embeddings(i)
        assert negative is not None
        assert torch.equal(negative.tokens, given.embeddings.tokens)
