"""Proximal guidance: what is dropped, what is put back, and edits that must change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.editing.inversion import Branches, ReplayPath
from core.inverters import proximal
from core.inverters.proximal import ProximalInversion, dilate, strongest_cells, threshold_guidance
from core.techniques.prompt_to_prompt import PromptToPrompt
from tests.core.inverting import inverted, kept, network, replayed, result, source, task


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def branches(scale: float = 7.5) -> Branches:
    embeddings = network().embed(["a red apple", "a dog"])
    return Branches(network(), embeddings, (scale, scale), network().embed(["a red apple"]))


def test_only_the_strongest_quarter_is_kept() -> None:
    change = torch.tensor([-8.0, 1.0, -2.0, 3.0, 4.0, 5.0, -6.0, 7.0]).view(2, 2, 2)
    found = strongest_cells(change)
    assert torch.equal(found.flatten(), torch.tensor([-8.0, 0, 0, 0, 0, 0, 0, 7.0]))
    assert not strongest_cells(1e-7 * change).any()


def test_what_acts_grows_by_a_cell() -> None:
    acts = torch.zeros(1, 5, 5, dtype=torch.bool)
    acts[0, 2, 2] = True
    assert dilate(acts).sum() == 9
    assert dilate(acts)[0, 1:4, 1:4].all()


def test_dropping_everything_is_guidance_nought(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proximal, "QUANTILE", 1.0)
    z, level = x0.repeat(2, 1, 1, 1), network().levels(10)[4]
    prediction, acts = threshold_guidance(branches(), z, level)
    _, uncond = branches().pair(z, level)
    assert torch.allclose(prediction.eps, uncond.eps, atol=1e-6)
    assert torch.allclose(prediction.x0, uncond.x0, atol=1e-5)
    assert not acts.any()


def test_dropping_nothing_is_plain_guidance(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proximal, "QUANTILE", 0.0)
    z, level = x0.repeat(2, 1, 1, 1), network().levels(10)[4]
    prediction, acts = threshold_guidance(branches(), z, level)
    plain = branches()(z, level)
    assert torch.allclose(prediction.eps, plain.eps, atol=1e-4)
    assert torch.allclose(prediction.x0, plain.x0, atol=1e-4)
    assert acts[1].all()
    assert not acts[0].any()


def test_the_source_comes_back_at_every_guidance(x0: torch.Tensor) -> None:
    for guidance in (1.0, 7.5):
        given = source(network(), x0, 10, guidance)
        path, _ = inverted(ProximalInversion, given)
        assert torch.equal(replayed(path, given), x0)


def test_where_nothing_acts_the_end_is_the_pictures(x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, 7.5)
    path: Any = inverted(ProximalInversion, given)[0]
    last = len(path.levels) - 2
    _, acts = threshold_guidance(
        branches(), path.latents[last].repeat(2, 1, 1, 1), path.levels[last]
    )
    ((z,), _) = path.step(last, (path.latents[last].repeat(2, 1, 1, 1),), branches())
    assert torch.equal(z[1][~acts[1]], x0[0][~acts[1]])
    assert 0.2 < float(acts[1].float().mean()) < 1
    assert not torch.equal(z[1][acts[1]], x0[0][acts[1]])


def test_a_changed_denoiser_is_taken_as_it_is(x0: torch.Tensor) -> None:
    path: Any = inverted(ProximalInversion, source(network(), x0, 6, 7.5))[0]
    plain = ReplayPath(path.levels, path.latents)
    state, denoise = path.begin(2), branches()
    found = path.step(3, state, lambda z, level, label=None: denoise(z, level, label))
    assert torch.equal(found[0][0], plain.step(3, state, denoise)[0][0])


def test_equal_prompts_give_the_picture() -> None:
    given = task(
        PromptToPrompt,
        prompt="a cat",
        source_prompt="a cat",
        inverter="proximal",
        local_blend=False,
    )
    found = result(PromptToPrompt, network(), given)
    assert np.array_equal(found, kept(network(), given))
