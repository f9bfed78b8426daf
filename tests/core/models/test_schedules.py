"""The levels of a checkpoint are those that diffusers' own schedulers walk."""

from typing import Any

import diffusers
import pytest
import torch

from core.models.schedules import ScheduleLevels
from tests import tiny

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
LEFTOVERS = {"set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1}
"""What a scheduler's configuration keeps of the one that the checkpoint was trained with."""


def scheduler(name: str, **options: Any) -> Any:
    made = getattr(diffusers, name)
    return made.from_config({**BETAS, **LEFTOVERS, **options})


def times(levels: Any) -> list[float]:
    return [level.time for level in levels[:-1]]


@pytest.mark.parametrize("name", ["LCMScheduler", "TCDScheduler"])
@pytest.mark.parametrize("steps", [1, 2, 4, 8, 50])
def test_latent_consistency_networks_get_the_times_they_know(name: str, steps: int) -> None:
    own = scheduler(name, set_alpha_to_one=True)
    levels = ScheduleLevels(own)(steps)
    own.set_timesteps(steps)
    assert times(levels) == own.timesteps.tolist()
    powers = own.alphas_cumprod[own.timesteps]
    assert [level.signal**2 for level in levels[:-1]] == pytest.approx(powers.tolist())
    assert (levels[-1].signal, levels[-1].noise) == (1, 0)


def test_four_steps_of_lcm_are_those_published() -> None:
    assert times(ScheduleLevels(scheduler("LCMScheduler"))(4)) == [999, 759, 499, 259]


@pytest.mark.parametrize("steps", [51, 100, 200, 300, 1000])
def test_more_steps_than_lcm_was_trained_at_still_begin_at_noise(steps: int) -> None:
    levels = ScheduleLevels(scheduler("LCMScheduler"))(steps)
    assert len(levels) == steps + 1
    assert levels[0].time == 999
    assert all(one.noise > two.noise for one, two in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize(
    "name",
    ["EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler"],
)
@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_turbo_lightning_and_hyper_begin_at_the_last_time(name: str, steps: int) -> None:
    """Trailing spacing; their sigmas end at 0 whatever the configuration keeps of others."""
    own = scheduler(name, timestep_spacing="trailing")
    levels = ScheduleLevels(own)(steps)
    own.set_timesteps(steps)
    assert times(levels) == own.timesteps.tolist()
    assert levels[0].time == 999
    sigmas = [level.noise / level.signal for level in levels]
    assert sigmas == pytest.approx(own.sigmas.tolist(), rel=1e-4)


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("clean", [False, True])
def test_ddim_is_followed_to_its_own_end(spacing: str, offset: int, clean: bool) -> None:
    options = {"timestep_spacing": spacing, "steps_offset": offset, "set_alpha_to_one": clean}
    own = scheduler("DDIMScheduler", **options)
    levels = ScheduleLevels(own)(10)
    own.set_timesteps(10)
    assert times(levels) == own.timesteps.tolist()
    assert levels[-1].signal ** 2 == pytest.approx(float(own.final_alpha_cumprod))


def test_a_pndm_checkpoint_walks_every_time_once() -> None:
    levels = ScheduleLevels(scheduler("PNDMScheduler"))(4)
    assert times(levels) == [751, 501, 251, 1]


def test_a_latent_consistency_network_reads_its_guidance(tmp_path: Any) -> None:
    """As diffusers' pipeline embeds it; without a scale the network is told nothing."""
    from core.models.diffusers_unet import DiffusersUNet

    pipe = tiny.pipeline(tmp_path, condition=16)
    home = tmp_path / "lcm"
    pipe.save_pretrained(home)
    model = DiffusersUNet(pipe, home)
    assert "embedded-guidance" in model.capabilities
    z, level = torch.randn(1, 4, 8, 8), model.levels(4)[1]
    said = model.embed(["cat"])
    for scale in (1.0, 8.5):
        told = said.__class__(said.prompts, said.tokens, guidance=(scale,))
        embedding = pipe.get_guidance_scale_embedding(torch.tensor([scale - 1]), 16)
        with torch.no_grad():
            wanted = pipe.unet(
                z, level.time, timestep_cond=embedding, encoder_hidden_states=said.tokens
            ).sample
        assert torch.allclose(model.denoiser(told)(z, level).eps, wanted, atol=1e-6)
    with torch.no_grad():
        plain = pipe.unet(z, level.time, encoder_hidden_states=said.tokens).sample
    assert torch.allclose(model.denoiser("cat")(z, level).eps, plain, atol=1e-6)
    assert not torch.allclose(plain, wanted, atol=1e-4)
