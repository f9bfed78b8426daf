"""RF-Solver: the published step, its order, and the way back."""

from typing import Any

import pytest
import torch

from core.diffusion.model import Prediction
from core.diffusion.rectified_flow import Flow, time_of
from core.editing.inversion import invertible_levels
from core.inverters.ddim import DdimInversion
from core.inverters.rf_solver import RfSolver, second_order_step
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
    assert round_trip(RfSolver, x0, 8) < 0.5 * round_trip(DdimInversion, x0, 16)


def test_twice_the_steps_a_quarter_of_the_error() -> None:
    """To the exact noise of a Gaussian: order two."""
    model = open_model("toy")
    x0 = 0.5 * torch.randn(1, 192, 4, 4, generator=torch.Generator().manual_seed(0))
    errors = []
    for steps in (8, 16):
        given = source(model, x0, steps)
        path, _ = inverted(RfSolver, given)
        errors.append(error(path.latent(path.begin(1)), gaussian_noise(model, x0, path.levels[0])))
    assert errors[0] / errors[1] > 2.8
    assert errors[1] < 0.01


def gaussian_noise(model: Any, x0: torch.Tensor, level: Any) -> torch.Tensor:
    """Where the flow of the toy's Gaussian takes a clean latent."""
    mean = model.embed(["a red apple"]).tokens[:, 0].repeat_interleave(64, 1)[:, :, None, None]
    spread = (level.signal**2 * VARIANCE + level.noise**2) ** 0.5
    found: torch.Tensor = level.signal * mean + spread / VARIANCE**0.5 * (x0 - mean)
    return found


def test_the_step_is_the_midpoint_rule() -> None:
    model = open_model("toy")
    flow = Flow(model, model.levels(6))
    x = torch.randn(1, 192, 4, 4, generator=torch.Generator().manual_seed(1))
    denoise = model.denoiser("red")
    first = flow.velocity(denoise, x, 0.7)
    found = second_order_step(flow, denoise, x, first, -0.2, 0.7)
    middle = flow.velocity(denoise, x - 0.1 * first, 0.6)
    assert torch.allclose(found, x - 0.2 * middle, atol=1e-5)


def test_a_velocity_that_grows_with_time_is_followed_exactly() -> None:
    model = open_model("toy")
    levels = invertible_levels(model.levels(5))
    flow = Flow(model, levels)

    def denoise(z: torch.Tensor, level: Any, label: Any = None) -> Prediction:
        return Prediction(torch.zeros_like(z), torch.full_like(z, 3 * time_of(level)))

    x, (here, there) = torch.zeros(1, 192, 2, 2), flow.times[1:3]
    first = flow.velocity(denoise, x, here)
    moved = second_order_step(flow, denoise, x, first, there - here, here)
    assert torch.allclose(moved, torch.full_like(x, 1.5 * (there**2 - here**2)), atol=1e-5)


def test_two_calls_a_step(x0: torch.Tensor) -> None:
    given = source(network(), x0, 5)
    calls = given.model.calls
    inverted(RfSolver, given)
    assert given.model.calls - calls == RfSolver().calls(len(given.levels) - 1)
