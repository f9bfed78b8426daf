"""FlowChef: without a pull a plain walk, with all of it the picture."""

from typing import Any

import numpy as np
import torch

from core.diffusion.latent_masks import last_steps
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import invertible_levels
from core.techniques.flowchef import FlowChef
from tests.core.inverting import kept, network, result, task

WHOLE = 16 * 128**2 / 2000
"""The rate at which one pull goes all the way."""

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}


def flow_of(model: Any, strength: float) -> Flow:
    return Flow(model, last_steps(invertible_levels(model.levels(6)), strength))


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(FlowChef, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(FlowChef, model, given), kept(model, given))
    assert model.calls == calls


def test_no_pull_is_a_plain_walk_with_guidance() -> None:
    model = network()
    given = task(FlowChef, rate=0.0, strength=0.8, guidance=1.0, **OTHER)
    flow, x0 = flow_of(model, 0.8), model.encode(given.image)
    dog, cat = model.denoiser("a dog"), model.denoiser("a cat")
    x = (1 - flow.times[0]) * x0 + flow.times[0] * given.noise(x0)
    for here, there in zip(flow.times, flow.times[1:], strict=False):
        target, source = flow.velocity(dog, x, here), flow.velocity(cat, x, here)
        x = x + (there - here) * (2 * target - source)
    assert np.allclose(result(FlowChef, model, given), model.decode(x), atol=1e-3)


def test_pulled_all_the_way_it_is_the_picture() -> None:
    model = network()
    given = task(FlowChef, kept=1.0, rate=WHOLE, pulls=1, **OTHER)
    assert np.allclose(result(FlowChef, model, given), kept(model, given), atol=1e-4)


def test_the_harder_the_pull_the_nearer_the_picture() -> None:
    model, far = network(), []
    for rate in (0.0, 0.05 * WHOLE, 0.2 * WHOLE):
        given = task(FlowChef, kept=1.0, rate=rate, pulls=1, guidance=0.0, **OTHER)
        far.append(float(np.abs(result(FlowChef, model, given) - kept(model, given)).mean()))
    assert far == sorted(far, reverse=True)


def test_a_pull_is_as_hard_as_published_whatever_the_size() -> None:
    model = network()
    plain, pulled = (
        next(FlowChef().run(task(FlowChef, rate=rate, pulls=1, **OTHER), model)).x0
        for rate in (0.0, 0.6)
    )
    x0 = model.encode(task(FlowChef).image)
    assert torch.allclose(pulled, plain.lerp(x0, 0.6 * 2000 / (16 * 128**2)), atol=1e-4)


def test_one_call_a_step_and_none_through_it() -> None:
    model = network()
    calls = model.calls
    result(FlowChef, model, task(FlowChef, **OTHER))
    assert model.calls - calls == len(flow_of(model, 1.0).times) - 1


def region(**changes: Any) -> Any:
    """A task to paint the left upper corner."""
    given = task(FlowChef, kept=0.0, **{**OTHER, **changes})
    given.mask[:, :] = 0
    given.mask[:8, :8] = 1
    return given


def first_seen(model: Any, given: Any) -> torch.Tensor:
    seen: torch.Tensor = next(FlowChef().run(given, model)).x0
    return seen


def test_a_region_is_free_while_the_rest_is_pulled() -> None:
    model = network()
    given = region(rate=WHOLE)
    seen = [step.x0 for step in FlowChef().run(given, model)]
    away = (seen[-1] - model.encode(given.image)).abs().mean(1)[0]
    assert away[4:, 4:].max() < 0.2 * away[0, 0]


def test_outside_the_mask_is_the_picture_however_weak_the_pull() -> None:
    model = network()
    given = region(rate=0.0)
    found, whole = result(FlowChef, model, given), kept(model, given)
    assert np.allclose(found[32:, 32:], whole[32:, 32:], atol=1e-5)
    assert not np.allclose(found[:8, :8], whole[:8, :8], atol=1e-3)


def test_guidance_stays_inside_the_mask() -> None:
    model = network()
    plain, guided = (first_seen(model, region(rate=0.0, guidance=g)) for g in (0.0, 9.0))
    assert torch.allclose(plain[..., 4:, 4:], guided[..., 4:, 4:], atol=1e-3)
    assert not torch.allclose(plain[..., 0, 0], guided[..., 0, 0], atol=1e-2)
