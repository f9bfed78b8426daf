"""SuperDiff: the density estimate against the truth, and what And and Or must keep."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.eta_step import step_mean, step_sigma
from core.editing.inversion import invertible_levels
from core.models.opening import open_model
from core.models.toy import VARIANCE, colour_of
from core.techniques.superdiff import Blend, StepChange, SuperDiff
from tests.core.inverting import kept, network, result, task

TWO = {"prompt": "a cat", "second_prompt": "a dog", "steps": 8}


def given(seed: int = 1, **changes: Any) -> Any:
    return task(SuperDiff, seed, **{**TWO, **changes})


def density(z: torch.Tensor, sigma: float, prompt: str) -> float:
    """Of the toy's Gaussian under noise, its own normalisation left out (it is every prompt's)."""
    middle = torch.tensor(colour_of(prompt)).repeat_interleave(64)[None, :, None, None]
    return float(-((z - middle) ** 2).sum() / (2 * (VARIANCE + sigma**2)))


def estimated(steps: int) -> tuple[float, float]:
    """The difference of two prompts' log-densities after a walk: as estimated, and true."""
    model, noise = open_model("toy"), torch.Generator().manual_seed(2)
    levels = invertible_levels(model.levels(steps))[:-1]
    embeddings = model.embed(["red", "blue", ""])
    y = torch.randn(1, 192, 2, 2, generator=noise) * levels[0].noise / levels[0].signal
    blend = Blend(SuperDiff.Params(mode="or", guidance=1.0), torch.ones(1, 1, 2, 2), steps)
    ends = []
    for here, there in zip(levels, levels[1:], strict=False):
        fresh = torch.randn(y.shape, generator=noise)
        rows, move = (
            model.denoiser(embeddings)(here.signal * y, here).eps,
            StepChange.from_levels(here, there, fresh),
        )
        ends.append(density(y, move.sigma, "red") - density(y, move.sigma, "blue"))
        change = move.along(rows[:1])
        blend.follow(rows, move, change)
        y = y + change
    sigma = levels[-1].noise / levels[-1].signal
    true = density(y, sigma, "red") - density(y, sigma, "blue") - ends[0]
    return float(blend.densities[0] - blend.densities[1]), true


def test_the_density_estimate_nears_the_truth_with_the_steps() -> None:
    errors = []
    for steps in (50, 200, 800):
        found, true = estimated(steps)
        errors.append(abs(found - true) / abs(true))
    assert errors[0] > errors[2]
    assert errors[2] < 0.05


def test_a_move_is_the_ancestral_step() -> None:
    model = open_model("toy")
    z = torch.randn(1, 192, 2, 2, generator=torch.Generator().manual_seed(3))
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(4))
    for here, there in zip(model.levels(6)[1:], model.levels(6)[2:], strict=False):
        prediction = model.denoiser("red")(z, here)
        wanted = step_mean(prediction, here, there) + step_sigma(here, there) * noise
        moved = there.signal * (
            z / here.signal + StepChange.from_levels(here, there, noise).along(prediction.eps)
        )
        assert torch.allclose(moved, wanted, atol=1e-4)


@pytest.mark.parametrize("mode", ["and", "or"])
def test_one_prompt_twice_is_that_prompt(mode: str) -> None:
    model = network()
    found = result(SuperDiff, model, given(mode=mode, second_prompt="a cat", guidance=1.0))
    edit = given()
    levels = invertible_levels(model.levels(8))
    x0 = model.encode(edit.image)
    z = edit.noise(x0)
    for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
        prediction = model.denoiser("a cat")(z, here)
        z = step_mean(prediction, here, there) + step_sigma(here, there) * edit.noise(x0, "walk", i)
    assert np.allclose(found, model.decode(z), atol=1e-3)


@pytest.mark.parametrize("bias", [0.0, 40.0, -40.0])
def test_and_lets_both_densities_grow_alike_but_for_the_bias(bias: float) -> None:
    model = network()
    levels, embeddings = invertible_levels(model.levels(8)), model.embed(["a cat", "a dog", ""])
    steps = len(levels) - 1
    blend = Blend(SuperDiff.Params(bias=bias), torch.ones(1, 1, 8, 8), steps)
    generator = torch.Generator().manual_seed(5)
    z = torch.randn(1, 16, 8, 8, generator=generator)
    for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
        move = StepChange.from_levels(here, there, torch.randn(z.shape, generator=generator))
        rows = model.denoiser(embeddings)(z, here).eps
        change = move.along(blend.mix(rows, move))
        blend.follow(rows, move, change)
        z = there.signal * (z / here.signal + change)
        first, second = blend.densities
        assert float(first - second) == pytest.approx(bias * (i + 1) / steps, abs=0.1)
        assert float(first.abs()) > 1


def test_or_with_a_bias_is_one_prompt_alone() -> None:
    model = network()
    for bias, prompt in ((1000.0, "a cat"), (-1000.0, "a dog")):
        found = result(SuperDiff, model, given(mode="or", bias=bias, sharpness=10.0))
        alone = given(mode="or", prompt=prompt, second_prompt=prompt)
        assert np.allclose(found, result(SuperDiff, model, alone), atol=1e-3)


def test_or_follows_the_likelier() -> None:
    blend = Blend(SuperDiff.Params(mode="or", guidance=1.0), torch.ones(1, 1, 1, 1), 4)
    move = StepChange(1.0, 0.1, torch.zeros(1, 1, 1, 1))
    rows = torch.tensor([1.0, 3.0, 0.0]).view(3, 1, 1, 1)
    assert float(blend.mix(rows, move)) == pytest.approx(2.0)
    blend.densities = torch.tensor([math.log(3), 0.0])
    assert float(blend.mix(rows, move)) == pytest.approx(0.75 * 1 + 0.25 * 3)


def test_and_differs_from_or() -> None:
    model = network()
    both, either = (result(SuperDiff, model, given(mode=mode)) for mode in ("and", "or"))
    assert not np.allclose(both, either, atol=1e-3)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    nought, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(SuperDiff, model, nought), kept(model, nought))
    assert model.calls == calls


def test_outside_the_mask_the_picture_stays() -> None:
    model = network()
    edit = given()
    edit.mask[:] = 0
    assert np.allclose(result(SuperDiff, model, edit), kept(model, edit), atol=1e-6)
