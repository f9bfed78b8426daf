"""What every technique owes, run over the registry on the toy model, or a tiny network it needs."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core import catalog, params
from core.diffusion.model import Conditioning, Denoise, KnownRegion, Level, Model, Prediction
from core.errors import ModelError
from core.params import Choice, Range
from core.task import Task
from tests.contracts.papers import check_paper
from tests.core.inverting import network
from tests.core.techniques import driving
from tests.core.techniques.driving import edited, finished

catalog.load("techniques", "models")

TOY = catalog.backends["toy"].load("toy").capabilities
TECHNIQUES = list(catalog.techniques)
FEW = 5
"""Steps on a network, which is slower than the toy, and of a technique that takes very many."""
USUAL = 50
NUMBERS = (
    params.Strength,
    params.Depth,
    params.Guidance,
    params.SourceGuidance,
    params.Steps,
)
CAPABILITIES = {"attention", "self-attention", "inpaint", "gradient"}


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Model:
    if on_toy(request.node.callspec.params["technique"]):
        return catalog.backends["toy"].load("toy")
    found: Model = network()
    found.cache.clear()
    return found


def on_toy(technique: Any) -> bool:
    """An inverter of one's choice may need what the toy lacks."""
    names = {field.name for field in params.fields(catalog.params_of(technique))}
    return technique.needs <= TOY and "inverter" not in names


def task_of(technique: Any, **changes: Any) -> Task[Any]:
    quick = on_toy(technique) and technique.Params().steps <= USUAL
    few = {} if quick else {"steps": FEW}
    return driving.task_of(technique, **{**few, **changes})


def _ends() -> list[Any]:
    found = []
    for technique in TECHNIQUES:
        for field in params.fields(catalog.params_of(technique)):
            if isinstance(field.marker, Range):
                ends = [field.type(field.marker.low), field.type(field.marker.high)]
            else:
                ends = list(field.marker.options) if isinstance(field.marker, Choice) else []
            name = f"{technique.id}-{field.name}"
            found += [pytest.param(technique, field.name, e, id=f"{name}-{e}") for e in ends]
    return found


every = pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda t: t.id)


@every
def test_says_what_it_is_and_who_published_it(technique: Any) -> None:
    assert technique.label
    assert technique.label == technique.label.strip()
    check_paper(technique)
    text = technique.__doc__ or ""
    assert "arXiv" in text
    assert text.strip()[0].isupper()


@every
def test_needs_are_capabilities_a_model_can_have(technique: Any) -> None:
    assert technique.needs <= CAPABILITIES
    for declared in (technique.needs_mask, technique.is_seeded, technique.shows_map):
        assert isinstance(declared, bool)


@every
def test_params_survive_json_and_defaults_are_in_range(technique: Any) -> None:
    values = technique.Params()
    text = json.dumps(params.to_json(values))
    assert params.from_json(technique.Params, json.loads(text)) == values


@every
def test_names_the_prompt_and_the_steps_like_all_others(technique: Any) -> None:
    names = {field.name for field in params.fields(technique.Params)}
    assert {"prompt", "steps"} <= names
    for meaning in (params.Prompt, params.Steps):
        assert params.field_marked(technique.Params, meaning)


@every
def test_what_is_named_as_usual_is_marked_so_and_once(technique: Any) -> None:
    """So that a recipe can still be read where its technique is not installed."""
    for meaning in (*params.PROMPTS, *NUMBERS):
        usual = [f.name for f in params.fields(technique.Params) if f.name == meaning.usual_name]
        found = [f.name for f in params.fields(technique.Params) if isinstance(f.marker, meaning)]
        assert found == usual


@pytest.mark.parametrize(("technique", "name", "end"), _ends())
def test_both_ends_of_every_range_run(technique: Any, name: str, end: Any, model: Model) -> None:
    task = task_of(technique, prompt="red") if name == "prompt" else task_of(technique)
    task = replace(task, params=replace(task.params, **{name: end}))
    image = edited(technique, model, task)
    assert image.shape == task.image.shape
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1


@every
def test_the_same_task_twice_is_bit_exact(technique: Any, model: Model) -> None:
    first = edited(technique, model, task_of(technique, prompt="red"))
    again = edited(technique, model, task_of(technique, prompt="red"))
    model.cache.clear()
    cold = edited(technique, model, task_of(technique, prompt="red"))
    assert np.array_equal(first, again)
    assert np.array_equal(first, cold)


@pytest.mark.parametrize("technique", [t for t in TECHNIQUES if t.is_seeded], ids=lambda t: t.id)
def test_another_seed_differs_inside_the_mask(technique: Any) -> None:
    """On a network: what two prompts differ by is the same under every noise on the toy."""
    found = network()
    one, two = (
        edited(technique, found, task_of(technique, seed=s, steps=FEW, prompt="red"))
        for s in (1, 2)
    )
    inside = task_of(technique).mask == 1
    assert not np.array_equal(one[inside], two[inside])


@pytest.mark.parametrize("technique", [t for t in TECHNIQUES if t.needs_mask], ids=lambda t: t.id)
def test_an_empty_mask_gives_back_the_round_trip(technique: Any, model: Model) -> None:
    task = task_of(technique)
    task = replace(task, mask=np.zeros_like(task.mask))
    image = edited(technique, model, task)
    np.testing.assert_allclose(image, model.decode(model.encode(task.image)), atol=1e-6)


@every
def test_progress_counts_by_one_to_its_total(technique: Any, model: Model) -> None:
    task = task_of(technique)
    steps, _ = finished(technique().run(task, model))
    assert [step.n for step in steps] == list(range(1, len(steps) + 1))
    assert {step.of for step in steps} == {len(steps)}
    assert all(step.x0.isfinite().all() for step in steps)


@every
def test_stops_within_one_step_when_closed(technique: Any, model: Model) -> None:
    run = technique().run(task_of(technique), model)
    next(run)
    calls = model.calls
    next(run)
    assert model.calls - calls <= 2
    calls = model.calls
    run.close()
    assert model.calls == calls
    assert np.isfinite(edited(technique, model, task_of(technique))).all()


@every
def test_stopping_early_does_not_change_the_next_run(technique: Any, model: Model) -> None:
    wanted = edited(technique, model, task_of(technique))
    model.cache.clear()
    run = technique().run(task_of(technique), model)
    next(run)
    run.close()
    assert np.array_equal(edited(technique, model, task_of(technique)), wanted)


@every
def test_an_empty_prompt_works(technique: Any, model: Model) -> None:
    assert np.isfinite(edited(technique, model, task_of(technique, prompt=""))).all()


@every
def test_nonsense_from_the_model_is_a_model_error(
    technique: Any, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
        return Prediction(z * torch.nan, z)

    def denoiser(prompt: str | Conditioning, known: KnownRegion | None = None) -> Denoise:
        return broken

    monkeypatch.setattr(model, "denoiser", denoiser)
    with pytest.raises(ModelError, match="not numbers"):
        finished(technique().run(task_of(technique), model))
