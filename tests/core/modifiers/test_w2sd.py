"""Weak-to-strong guidance: what a reflection adds, and where nothing is reflected."""

from typing import Any

import pytest
import torch

from core.diffusion.model import Level, Model
from core.models.opening import open_model
from core.modifiers.wrapping import wrap_model
from core.task import ModifierSetting
from tests.core.inverting import network

NOT_REFLECTED = {"share": 0.0}


@pytest.fixture(scope="module")
def z() -> torch.Tensor:
    return torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(1))


def guided(model: Model, **changes: Any) -> Model:
    return wrap_model(
        model, [ModifierSetting("w2sd", {"share": 1.0, "negative_prompt": "dog", **changes})]
    )


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_late_steps_are_guided_as_usual(share: float, z: torch.Tensor) -> None:
    model = network()
    level, calls = model.levels(10)[6], model.calls
    seen = guided(model, share=share, scale=4.0).denoiser("cat")(z, level)
    assert model.calls == calls + 1
    usual = wrap_model(model, [ModifierSetting("cfg", {"scale": 4.0, "negative_prompt": "dog"})])
    assert torch.allclose(seen.eps, usual.denoiser("cat")(z, level).eps, atol=1e-4)


def test_early_steps_are_reflected_as_published(z: torch.Tensor) -> None:
    model = network()
    here, there = model.levels(20)[3:5]
    strong, weak = (
        guided(model, scale=scale, **NOT_REFLECTED).denoiser("cat") for scale in (7.5, 1.0)
    )
    down = strong(z, here).at(there)
    up = weak(down, there, here).at(here)
    wanted = strong(up, here)
    calls = model.calls
    seen = guided(model).denoiser("cat")(z, here)
    assert model.calls == calls + 3
    assert torch.allclose(seen.x0, wanted.x0, atol=1e-4)
    assert torch.allclose(seen.eps, wanted.eps, atol=1e-4)


def test_a_reflection_adds_what_strong_and_weak_differ_by() -> None:
    """The theory of the paper, to first order: away from weak noise, towards strong."""
    model = open_model("toy")
    z = torch.randn(1, 192, 2, 2, generator=torch.Generator().manual_seed(1))
    here, there = model.levels(1000)[300:302]
    seen = guided(model, steps=100, negative_prompt="").denoiser("red")(z, here)
    reflected = here.mix(seen.x0, seen.eps) - z
    strong, weak = (
        guided(model, scale=scale, negative_prompt="", **NOT_REFLECTED).denoiser("red")(z, here)
        for scale in (7.5, 1.0)
    )
    there = next(level for level in model.levels(100) if level.noise < here.noise - 1e-9)
    step = here.noise - there.noise * here.signal / there.signal
    wanted = step * (weak.eps - strong.eps)
    assert float((reflected - wanted).norm() / wanted.norm()) < 0.1


def test_equal_strength_changes_the_less_the_shorter_the_step(z: torch.Tensor) -> None:
    model = network()
    level = model.levels(10)[2]
    plain = guided(model, scale=3.0, **NOT_REFLECTED).denoiser("cat")(z, level)
    errors = []
    for steps in (10, 40, 100):
        equal = guided(model, scale=3.0, weak_scale=3.0, steps=steps).denoiser("cat")(z, level)
        errors.append(float((equal.x0 - plain.x0).norm() / plain.x0.norm()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


def test_a_walk_up_is_not_reflected(z: torch.Tensor) -> None:
    model = network()
    there, here = model.levels(10)[2:4]
    calls = model.calls
    guided(model).denoiser("cat")(z, here, there)
    assert model.calls == calls + 1


def test_nothing_turns_at_a_level_without_noise(z: torch.Tensor) -> None:
    model = network()
    calls = model.calls
    guided(model, steps=1).denoiser("cat")(z, Level(0.6, 0.8, 500.0))
    assert model.calls == calls + 1
