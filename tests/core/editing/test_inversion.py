"""Paths and branches: what goes up comes down, and guidance is the textbook's."""

import pytest
import torch

from core.editing.inversion import Branches, ReplayPath, invertible_levels, select_rows
from core.inverters.ddim import DdimInversion
from core.inverters.direct import DirectInversion
from core.models.opening import open_model
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_pure_noise_is_not_walked_through() -> None:
    levels = open_model("toy").levels(10)
    assert levels[0].signal < 1e-6
    assert invertible_levels(levels) == levels[1:]


def test_ddim_inversion_comes_back_the_closer_the_more_steps(x0: torch.Tensor) -> None:
    errors = []
    for steps in (10, 20, 40):
        given = source(network(), x0, steps)
        path, _ = inverted(DdimInversion, given)
        errors.append(error(replayed(path, given), x0))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_direct_inversion_gives_the_source_back(guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, guidance)
    path, _ = inverted(DirectInversion, given)
    assert torch.equal(replayed(path, given), x0)


def test_a_path_may_say_what_stands_against_the_prompts(x0: torch.Tensor) -> None:
    levels = invertible_levels(network().levels(3))
    plain = ReplayPath(levels, [x0])
    assert plain.negative_embeddings(0) is None
    opposed = [network().embed([word]) for word in ("cat", "dog")]
    path = ReplayPath(levels, [x0], opposed)
    assert [path.negative_embeddings(i) for i in range(2)] == opposed


def test_branches_guide_every_row_by_its_own_scale(x0: torch.Tensor) -> None:
    model = network()
    level = model.levels(10)[4]
    words = model.embed(["a cat", "a dog", "a house"])
    empty = model.embed([""])
    seen = Branches(model, words, (1.0, 3.0, 5.0), empty)(x0.repeat(3, 1, 1, 1), level)
    without = model.denoiser(empty)(x0, level)
    for row, scale in enumerate((1.0, 3.0, 5.0)):
        alone = model.denoiser(select_rows(words, [row]))(x0, level)
        wanted = without.eps + scale * (alone.eps - without.eps)
        assert torch.allclose(seen.eps[row : row + 1], wanted, atol=1e-4)


def test_a_branch_without_guidance_costs_one_row(x0: torch.Tensor) -> None:
    model = network()
    words = model.embed(["a cat", "a dog"])
    branches = Branches(model, words, (1.0, 2.0), model.embed([""]))
    assert branches.uncond_row(0) is None
    assert branches.uncond_row(1) == 2
    assert branches.rows(0) == [0]
    assert branches.rows(1) == [1, 2]
    towards, against = branches.pair(x0.repeat(2, 1, 1, 1), model.levels(10)[3])
    assert towards.x0.shape[0] == 2
    assert against.x0.shape[0] == 1
