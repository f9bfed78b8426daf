"""Null-text inversion: guided, the picture comes back closer; unguided, nothing is tuned."""

import pytest
import torch

from core.inverters.ddim import DdimInversion
from core.inverters.null_text import NULL_TEXT, NullTextInversion
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_guided_it_comes_back_closer_than_ddim_inversion(x0: torch.Tensor) -> None:
    given = source(network(), x0, 5, 7.5)
    plain, _ = inverted(DdimInversion, given)
    path, _ = inverted(NullTextInversion, given)
    assert error(replayed(path, given), x0) < 0.8 * error(replayed(plain, given), x0)


def test_unguided_it_is_ddim_inversion(x0: torch.Tensor) -> None:
    given = source(network(), x0, 5, 1.0)
    plain, _ = inverted(DdimInversion, given)
    path, _ = inverted(NullTextInversion, given)
    assert torch.equal(replayed(path, given), replayed(plain, given))
    for i in range(len(path.levels) - 1):
        negative = path.negative_embeddings(i)
        assert negative is not None
        assert torch.equal(negative.tokens, given.negative.tokens)


def test_the_rate_falls_and_the_tolerance_grows_as_published() -> None:
    assert NULL_TEXT.rounds == 10
    assert NULL_TEXT.rate(0) == 1e-2
    assert NULL_TEXT.rate(50) == 5e-3
    assert NULL_TEXT.rate(150) == 0
    assert NULL_TEXT.enough(10) == pytest.approx(2.1e-4)
