"""FireFlow: order two at one call a step, and what it carries along."""

from typing import Any

import pytest
import torch

from core.diffusion.rectified_flow import Flow
from core.inverters.ddim import DdimInversion
from core.inverters.fireflow import FireFlow
from core.models.opening import open_model
from core.models.toy import VARIANCE
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def round_trip(inverter: Any, x0: torch.Tensor, steps: int) -> float:
    given = source(network(), x0, steps)
    path, _ = inverted(inverter, given)
    return error(replayed(path, given), x0)


def test_it_comes_back_nearer_than_ddim_with_as_many_calls(x0: torch.Tensor) -> None:
    assert round_trip(FireFlow, x0, 8) < 0.5 * round_trip(DdimInversion, x0, 9)


def test_twice_the_steps_a_quarter_of_the_error() -> None:
    """To the exact noise of a Gaussian: order two, though velocities are used again."""
    model = open_model("toy")
    x0 = 0.5 * torch.randn(1, 192, 4, 4, generator=torch.Generator().manual_seed(0))
    mean = model.embed(["a red apple"]).tokens[:, 0].repeat_interleave(64, 1)[:, :, None, None]
    errors = []
    for steps in (16, 32):
        path, _ = inverted(FireFlow, source(model, x0, steps))
        top = path.levels[0]
        spread = (top.signal**2 * VARIANCE + top.noise**2) ** 0.5
        wanted = top.signal * mean + spread / VARIANCE**0.5 * (x0 - mean)
        errors.append(error(path.latent(path.begin(1)), wanted))
    assert errors[0] / errors[1] > 2.8
    assert errors[1] < 0.01


def test_one_call_a_step_and_one_to_begin(x0: torch.Tensor) -> None:
    given = source(network(), x0, 5)
    steps, calls = len(given.levels) - 1, given.model.calls
    path, _ = inverted(FireFlow, given)
    assert given.model.calls - calls == steps + 1 == FireFlow().calls(steps)
    replayed(path, given)
    assert given.model.calls - calls == 2 * (steps + 1)


def test_the_velocity_of_the_step_before_is_used_again(x0: torch.Tensor) -> None:
    given = source(network(), x0, 5)
    path, _ = inverted(FireFlow, given)
    denoise = given.denoiser()
    first, _ = path.step(0, path.begin(2), denoise_both(denoise))
    assert len(first) == 2
    flow = Flow(given.model, path.levels)
    moved = flow.from_model_latent(first[0], flow.times[1]) - flow.from_model_latent(
        path.begin(2)[0], flow.times[0]
    )
    stride = flow.times[1] - flow.times[0]
    assert torch.allclose(moved, stride * first[1], atol=1e-5)
    other, _ = path.step(1, (first[0], torch.zeros_like(first[1])), denoise_both(denoise))
    same, _ = path.step(1, first, denoise_both(denoise))
    assert not torch.allclose(other[0], same[0], atol=1e-4)


def denoise_both(denoise: Any) -> Any:
    """A denoiser of one branch, for two."""

    def both(z: torch.Tensor, level: Any, label: Any = None) -> Any:
        seen = [denoise(z[row : row + 1], level, label) for row in range(2)]
        return type(seen[0])(*(torch.cat(parts) for parts in zip(*seen, strict=True)))

    return both
