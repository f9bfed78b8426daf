"""FlowEdit: the same words change nothing, other words move by the difference of two flows."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.latent_masks import last_steps
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import invertible_levels
from core.models.opening import open_model
from core.models.toy import VARIANCE
from core.techniques.flowedit import FlowEdit
from tests.core.inverting import kept, network, result, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("draws", [1, 3])
def test_the_same_words_at_the_same_scale_give_the_picture(seed: int, draws: int) -> None:
    model = network()
    same: dict[str, Any] = {
        "prompt": "a cat",
        "source_prompt": "a cat",
        "guidance": 5.0,
        "source_guidance": 5.0,
    }
    given = task(FlowEdit, seed, draws=draws, **same)
    assert np.allclose(result(FlowEdit, model, given), kept(model, given), atol=1e-4)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(FlowEdit, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(FlowEdit, model, given), kept(model, given))
    assert model.calls == calls


def test_one_call_a_step_whatever_the_draws() -> None:
    model = network()
    calls = model.calls
    result(FlowEdit, model, task(FlowEdit, draws=3, strength=0.5, steps=9, **OTHER))
    assert model.calls - calls == 4


@pytest.mark.parametrize("free", [0, 2, 50])
def test_other_words_change_the_picture(free: int) -> None:
    model = network()
    given = task(FlowEdit, free=free, **OTHER)
    assert not np.allclose(result(FlowEdit, model, given), kept(model, given), atol=1e-3)


def test_each_prompt_has_its_own_scale() -> None:
    model = network()
    usual, *others = (
        result(FlowEdit, model, task(FlowEdit, guidance=to, source_guidance=of, **OTHER))
        for to, of in ((9.0, 2.0), (5.0, 2.0), (9.0, 5.0))
    )
    for other in others:
        assert not np.allclose(usual, other, atol=1e-3)


def test_equal_words_leave_the_picture_whatever_the_scales() -> None:
    model = network()
    same: dict[str, Any] = {"prompt": "a cat", "source_prompt": " a cat"}
    given = task(FlowEdit, guidance=9.0, source_guidance=2.0, **same)
    assert np.allclose(result(FlowEdit, model, given), kept(model, given), atol=1e-5)


def test_all_steps_free_are_a_walk_from_the_noised_picture() -> None:
    model = network()
    given = task(FlowEdit, free=50, guidance=1.0, strength=0.8, **OTHER)
    x0, denoise = model.encode(given.image), model.denoiser("a dog")
    flow = Flow(model, last_steps(invertible_levels(model.levels(6)), 0.8))
    times = flow.times
    x = (1 - times[0]) * x0 + times[0] * given.noise(x0, "flow 0", len(times) - 1)
    for here, there in zip(times, times[1:], strict=False):
        x = x + (there - here) * flow.velocity(denoise, x, here)
    assert np.allclose(result(FlowEdit, model, given), model.decode(x), atol=1e-4)


def test_outside_the_mask_is_the_picture() -> None:
    model = network()
    given = task(FlowEdit, free=2, **OTHER)
    given.mask[:, :] = 0
    given.mask[:8, :8] = 1
    found, whole = result(FlowEdit, model, given), kept(model, given)
    assert np.allclose(found[32:, 32:], whole[32:, 32:], atol=1e-5)
    assert not np.allclose(found[:8, :8], whole[:8, :8], atol=1e-3)


@pytest.mark.parametrize("draws", [1, 4])
def test_a_gaussian_moves_from_mean_to_mean(draws: int) -> None:
    """The noise cancels, so that one linear equation is left, which is stepped through here."""
    model = open_model("toy")
    scales: dict[str, Any] = {"guidance": 1.0, "source_guidance": 1.0}
    given = task(FlowEdit, steps=20, strength=0.8, draws=draws, **OTHER, **scales)
    given.image[:] = 0.5
    moved = model.encode(result(FlowEdit, model, given)) - model.encode(given.image)
    share = 0.0
    times = Flow(model, last_steps(invertible_levels(model.levels(20)), 0.8)).times
    for here, there in zip(times, times[1:], strict=False):
        spread = (1 - here) ** 2 * VARIANCE + here**2
        slope = (here - (1 - here) * VARIANCE) / spread
        share += (there - here) * (slope * share - (1 + (1 - here) * slope))
    cat, dog = model.embed(["a cat", "a dog"]).tokens[:, 0].repeat_interleave(64, 1)
    assert torch.allclose(moved.mean((0, 2, 3)), (share * (dog - cat)).clamp(-1, 1), atol=1e-3)
    assert 0.5 < share < 1
