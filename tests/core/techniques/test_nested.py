"""Nested Diffusion: one inner step is the plain sampler, and previews are finished pictures."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.latent_masks import last_steps
from core.diffusion.noise_schedule import levels_from
from core.techniques.nested import NestedDiffusion
from tests.core.inverting import kept, network, result, task
from tests.core.techniques.driving import RandomModel, finished


def given(**changes: Any) -> Any:
    few = {"prompt": "a cat", "steps": 4, "inner_steps": 3}
    return task(NestedDiffusion, **{**few, **changes})


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("model", [network(), RandomModel()], ids=["to no noise", "to little"])
def test_one_inner_step_is_the_plain_sampler(model: Any, strength: float) -> None:
    edit = given(inner_steps=1, strength=strength)
    levels = last_steps(model.levels(4), strength)
    x0 = model.encode(edit.image)
    z = edit.noise(x0) if strength == 1 else levels[0].mix(x0, edit.noise(x0))
    for here, there in zip(levels, levels[1:], strict=False):
        z = model.denoiser("a cat")(z, here).at(there)
    assert np.allclose(result(NestedDiffusion, model, edit), model.decode(z), atol=1e-4)


def test_every_outer_step_takes_all_inner_steps() -> None:
    model, edit = network(), given()
    calls = model.calls
    result(NestedDiffusion, model, edit)
    assert model.calls - calls == 4 * 3


@pytest.mark.parametrize("variation", [0.0, 0.85])
def test_the_first_picture_is_a_whole_walk_of_inner_steps(variation: float) -> None:
    model, edit = network(), given(variation=variation)
    x0 = model.encode(edit.image)
    z, prediction = edit.noise(x0), None
    walk = levels_from(model, model.levels(4)[0], 3)
    for i, (here, there) in enumerate(zip(walk, walk[1:], strict=False)):
        prediction = model.denoiser("a cat")(z, here)
        z = step_mean(prediction, here, there, variation)
        z = z + step_sigma(here, there, variation) * edit.noise(x0, "inner", i)
    assert prediction is not None
    steps, _ = finished(NestedDiffusion().run(edit, model))
    assert torch.allclose(steps[2].x0, prediction.x0, atol=1e-4)
    assert torch.equal(steps[3].x0, steps[2].x0)
    assert not torch.equal(steps[5].x0, steps[2].x0)


def test_the_last_preview_is_the_result() -> None:
    model, edit = network(), given()
    steps, image = finished(NestedDiffusion().run(edit, model))
    assert np.allclose(model.decode(steps[-1].x0), image, atol=1e-5)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    nought, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(NestedDiffusion, model, nought), kept(model, nought))
    assert model.calls == calls


def test_outside_the_mask_the_picture_stays() -> None:
    model, edit = network(), given()
    edit.mask[:] = 0
    assert np.allclose(result(NestedDiffusion, model, edit), kept(model, edit), atol=1e-6)
