"""Every inverter and every editor on every kind of schedule, those that end twice alike too."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from core import catalog, params
from core.diffusion.samplers import SAMPLERS
from core.editing.inversion import invertible_levels
from core.models.opening import open_model
from core.models.schedules import ScheduleLevels
from tests import tiny
from tests.core.inverting import inverted, replayed, source
from tests.core.techniques.driving import finished, task_of

catalog.load("techniques", "inverters")
FEW = 3
ENOUGH = 100.0
"""No latent of a walk that divides by nothing small is larger."""


class Schedule(NamedTuple):
    """What a checkpoint's scheduler says; ``is_rescaled`` is zero terminal signal-to-noise."""

    spacing: str
    offset: int
    prediction: str
    is_rescaled: bool = False

    def __str__(self) -> str:
        end = "-rescaled" if self.is_rescaled else ""
        return f"{self.spacing}-{self.offset}-{self.prediction}{end}"


EVERY = [
    Schedule("leading", 0, "epsilon"),
    Schedule("leading", 1, "v_prediction", True),
    Schedule("linspace", 0, "v_prediction"),
    Schedule("linspace", 1, "epsilon"),
    Schedule("trailing", 0, "epsilon"),
    Schedule("trailing", 1, "v_prediction", True),
]
"""Every spacing with either offset, prediction and end."""
HARDEST = [EVERY[0], EVERY[-1]]
"""One that ends twice at the cleanest time, and one that begins without signal."""


@cache
def network(prediction: str) -> Any:
    """A tiny random UNet."""
    return open_model(str(tiny.saved(Path(mkdtemp()), prediction)))


def model_with(schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The network under a schedule whose last level is that of its cleanest time."""
    made: Any = DDIMScheduler
    model = network(schedule.prediction)
    scheduler = made(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        set_alpha_to_one=False,
        timestep_spacing=schedule.spacing,
        steps_offset=schedule.offset,
        prediction_type=schedule.prediction,
        rescale_betas_zero_snr=schedule.is_rescaled,
    )
    monkeypatch.setattr(model, "_schedule", ScheduleLevels(scheduler))
    model.cache.clear()
    return model


def picture(model: Any) -> torch.Tensor:
    return 0.7 * torch.randn(1, model.channels, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("schedule", EVERY, ids=str)
def test_walked_levels_differ_and_hold_some_of_the_picture(
    schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_with(schedule, monkeypatch)
    for steps in (2, 10, 50, 1000):
        walked = invertible_levels(model.levels(steps))
        assert all(one.noise > two.noise for one, two in zip(walked, walked[1:], strict=False))
        assert walked[0].signal > 0.01
        assert walked[-1] in model.levels(steps)
        assert len(walked) >= 0.95 * steps - 1


@pytest.mark.parametrize("schedule", EVERY, ids=str)
@pytest.mark.parametrize("inverter", list(catalog.inverters), ids=lambda kind: kind.id)
def test_every_inverter_walks_up_and_down(
    inverter: Any, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_with(schedule, monkeypatch)
    given = source(model, picture(model), FEW, 2.0)
    given = replace(given, embeddings=model.embed(["a red cat"]))
    path, _ = inverted(inverter, given)
    back = replayed(path, given)
    assert torch.isfinite(back).all()
    assert back.abs().max() < ENOUGH


@pytest.mark.parametrize("schedule", HARDEST, ids=str)
@pytest.mark.parametrize("technique", list(catalog.techniques), ids=lambda kind: kind.id)
def test_every_editor_gives_a_picture(
    technique: Any, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_with(schedule, monkeypatch)
    if not technique.needs <= model.capabilities:
        pytest.skip("the network lacks what it needs")
    names = {field.name for field in params.fields(catalog.params_of(technique))}
    words = {"prompt": "a red dog", "source_prompt": "a cat"}
    values: dict[str, Any] = {name: text for name, text in words.items() if name in names}
    steps, image = finished(technique().run(task_of(technique, steps=FEW, **values), model))
    assert np.isfinite(image).all()
    assert all(float(step.x0.abs().max()) < ENOUGH for step in steps)


@pytest.mark.parametrize("schedule", HARDEST, ids=str)
@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_walks_levels_that_coincide(
    sampler: str, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_with(schedule, monkeypatch)
    steps = list(SAMPLERS[sampler](model.denoiser("a cat"), picture(model), model.levels(6)))
    assert len(steps) == 6
    assert all(torch.isfinite(step.x0).all() for step in steps)
    assert steps[-1].x0.abs().max() < ENOUGH
