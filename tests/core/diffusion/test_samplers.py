"""Samplers against closed forms, their own order of convergence, and diffusers' schedulers."""

import math
from typing import Any

import pytest
import torch

from core.diffusion.model import Denoise, Level, Levels, Prediction
from core.diffusion.samplers import SAMPLERS

MEAN, VARIANCE = 0.3, 0.2
START = torch.linspace(-2, 2, 41, dtype=torch.float64).reshape(1, 1, 1, 41)


def gaussian(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
    """The exact denoiser of one Gaussian."""
    away = z - level.signal * MEAN
    spread = level.signal**2 * VARIANCE + level.noise**2
    return Prediction(MEAN + level.signal * VARIANCE / spread * away, level.noise / spread * away)


def exact(z: torch.Tensor, here: Level, there: Level) -> torch.Tensor:
    """Where the probability flow of the Gaussian leads."""
    before = math.sqrt(here.signal**2 * VARIANCE + here.noise**2)
    after = math.sqrt(there.signal**2 * VARIANCE + there.noise**2)
    return there.signal * MEAN + after / before * (z - here.signal * MEAN)


def angles(steps: int, first: float = 1.45, last: float = 0.05) -> Levels:
    """Variance-preserving levels between two angles, both ends with signal and noise."""
    turned = [first + (last - first) * i / steps for i in range(steps + 1)]
    return tuple(Level(math.cos(a), math.sin(a), 1000 * a) for a in turned)


def flow(steps: int) -> Levels:
    times = [0.98 - 0.96 * i / steps for i in range(steps + 1)]
    return tuple(Level(1 - t, t, 1000 * t) for t in times)


def walked(name: str, denoise: Denoise, z: torch.Tensor, levels: Levels) -> torch.Tensor:
    walk = SAMPLERS[name](denoise, z, levels)
    count = 0
    while True:
        try:
            step = next(walk)
        except StopIteration as end:
            assert count == len(levels) - 1
            return torch.as_tensor(end.value)
        count += 1
        assert (step.n, step.of) == (count, len(levels) - 1)


def error(name: str, levels: Levels) -> float:
    found = walked(name, gaussian, START, levels)
    return float((found - exact(START, levels[0], levels[-1])).abs().max())


@pytest.mark.parametrize("make", [angles, flow])
@pytest.mark.parametrize(
    ("name", "order"), [("ddim", 1), ("euler", 1), ("heun", 2), ("dpm++2m", 2)]
)
def test_the_error_falls_with_the_order_of_the_method(name: str, order: int, make: Any) -> None:
    coarse, fine = error(name, make(40)), error(name, make(80))
    assert fine < 0.02
    assert 2 ** (order - 0.35) < coarse / fine < 2 ** (order + 0.8)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_up_and_down_again_comes_home_the_closer_the_more_steps(name: str) -> None:
    misses = []
    for steps in (40, 80):
        levels = angles(steps)
        noisy = walked(name, gaussian, START, levels[::-1])
        home = walked(name, gaussian, noisy, levels)
        misses.append(float((home - START).abs().max()))
    assert misses[1] < 0.2
    assert misses[1] < max(0.7 * misses[0], 1e-3)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_pure_noise_and_pure_content_are_no_numbers_to_fear(name: str) -> None:
    levels = (Level(0.0, 1.0, 999), *angles(6), Level(1.0, 0.0, 0))
    found = walked(name, gaussian, START, levels)
    assert bool(found.isfinite().all())
    assert float((found - exact(START, levels[0], levels[-1])).abs().max()) < 0.4


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_steps_can_be_numbered_inside_a_longer_job(name: str) -> None:
    steps = list(SAMPLERS[name](gaussian, START, angles(3), done=4, of=9))
    assert [(step.n, step.of) for step in steps] == [(5, 9), (6, 9), (7, 9)]


def test_euler_is_ddim() -> None:
    levels = angles(12)
    assert torch.equal(
        walked("euler", gaussian, START, levels), walked("ddim", gaussian, START, levels)
    )


# Against diffusers


def network(z: torch.Tensor, level: Level) -> torch.Tensor:
    """Something that says noise and is no Gaussian's."""
    return torch.sin(3 * z) * 0.5 + level.noise * z


def said(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
    eps = network(z, level)
    return Prediction((z - level.noise * eps) / level.signal, eps)


def their_levels(scheduler: Any, last: float) -> Levels:
    times = [int(time) for time in scheduler.timesteps]
    powers = [float(scheduler.alphas_cumprod[time]) for time in times]
    walk = zip([*powers, last], [*times, 0], strict=True)
    return tuple(Level(a**0.5, (1 - a) ** 0.5, float(t)) for a, t in walk)


def test_ddim_equals_diffusers() -> None:
    from diffusers import DDIMScheduler

    make: Any = DDIMScheduler
    scheduler = make(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        clip_sample=False, set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    scheduler.set_timesteps(9)
    levels = their_levels(scheduler, float(scheduler.final_alpha_cumprod))
    z = START
    for time, level in zip(scheduler.timesteps, levels, strict=False):
        z = scheduler.step(network(z, level), time, z).prev_sample
    assert torch.allclose(walked("ddim", said, START, levels), z, atol=1e-6)


def test_dpmpp_2m_equals_diffusers() -> None:
    from diffusers import DPMSolverMultistepScheduler

    make: Any = DPMSolverMultistepScheduler
    scheduler = make(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero",
        lower_order_final=True,
    )  # fmt: skip
    scheduler.set_timesteps(9)
    levels = their_levels(scheduler, 1.0)
    z = START
    for time, level in zip(scheduler.timesteps, levels, strict=False):
        z = scheduler.step(network(z, level), time, z).prev_sample
    assert torch.allclose(walked("dpm++2m", said, START, levels), z, atol=2e-5)


def test_heun_equals_diffusers() -> None:
    from diffusers import HeunDiscreteScheduler

    make: Any = HeunDiscreteScheduler
    scheduler = make(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    scheduler.set_timesteps(7)
    sigmas = [float(s) for s in scheduler.sigmas]
    firsts = [sigmas[0], *sigmas[1:-1:2], sigmas[-1]]
    levels = tuple(Level((1 + s * s) ** -0.5, s * (1 + s * s) ** -0.5, s) for s in firsts)
    x = START * firsts[0]
    for time in scheduler.timesteps:
        sigma = float(
            scheduler.sigmas[scheduler.index_for_timestep(time)]
            if scheduler.step_index is None
            else scheduler.sigmas[scheduler.step_index]
        )
        level = Level((1 + sigma**2) ** -0.5, sigma * (1 + sigma**2) ** -0.5, sigma)
        x = scheduler.step(network(x * level.signal, level), time, x).prev_sample
    found = walked("heun", said, START * firsts[0] * levels[0].signal, levels)
    assert torch.allclose(found, x, atol=1e-4)


def test_ddim_takes_the_prediction_at_its_word() -> None:
    def stubborn(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
        return Prediction(z * 0 + 2, z * 0 - 1)

    found = walked("ddim", stubborn, START, (Level(0.6, 0.8, 10), Level(0.8, 0.6, 5)))
    assert torch.equal(found, START * 0 + (0.8 * 2 - 0.6))
