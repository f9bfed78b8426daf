"""What a technique owes whose parameters name a model: it runs with one, and says what is wrong."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core import catalog, params
from core.errors import TechniqueError
from core.headless.list_kinds import list_kind
from core.params import ModelName
from tests.core.inverting import result, task
from tests.core.relatives import relatives, stranger

catalog.load("techniques")
NAMED = [
    pytest.param(technique, field, id=f"{technique.id}-{field.name}")
    for technique in catalog.techniques
    for field in params.fields(catalog.params_of(technique))
    if isinstance(field.marker, ModelName)
]
every = pytest.mark.parametrize(("technique", "field"), NAMED)


def given(technique: Any, name: str, model: Any, **changes: Any) -> Any:
    """A task in which a parameter names a model, which is at hand."""
    asked = task(technique, prompt="a cat", **{name: "another", **changes})
    return replace(asked, models={name: model})


@every
def test_names_nothing_at_first_and_survives_json(technique: Any, field: Any) -> None:
    assert field.default == ""
    values = technique.Params(**{field.name: "/models/oil paint.safetensors"})
    text = json.dumps(params.to_json(values))
    assert params.from_json(technique.Params, json.loads(text)) == values
    entry = next(entry for entry in list_kind("techniques") if entry["id"] == technique.id)
    shown = next(one for one in entry["params"] if one["name"] == field.name)
    assert shown == {
        **shown,
        "type": "str",
        "default": "",
        "label": field.label,
        "none": field.marker.none,
    }


@every
def test_another_model_changes_the_picture_and_nothing_is_left_of_it(
    technique: Any, field: Any
) -> None:
    one, two = relatives()
    plain = task(technique, prompt="a cat")
    without = result(technique, one, plain)
    edit = given(technique, field.name, two)
    found = result(technique, one, edit)
    assert found.shape == edit.image.shape
    assert np.isfinite(found).all()
    assert not np.allclose(found, without, atol=1e-3)
    assert np.array_equal(result(technique, one, edit), found)
    assert np.array_equal(result(technique, one, plain), without)


@every
def test_stops_within_one_step_when_closed(technique: Any, field: Any) -> None:
    models = relatives()
    run = technique().run(given(technique, field.name, models[1]), models[0])
    next(run)
    calls = [model.calls for model in models]
    next(run)
    assert all(model.calls - before <= 2 for model, before in zip(models, calls, strict=True))
    calls = [model.calls for model in models]
    run.close()
    assert [model.calls for model in models] == calls


@every
def test_a_model_with_other_latents_is_refused_in_a_sentence(technique: Any, field: Any) -> None:
    one, _ = relatives()
    with pytest.raises(TechniqueError) as caught:
        result(technique, one, given(technique, field.name, stranger()))
    assert str(caught.value).count("\n") == 0
    assert one.label in str(caught.value)
