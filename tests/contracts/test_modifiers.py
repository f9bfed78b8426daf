"""What every modifier owes."""

from typing import Any

import pytest
import torch

from core import catalog
from core.catalog import params_of
from core.engine.task import Wrapped
from core.models.opening import open_model
from core.modifiers.wrapping import wrapped
from core.params import Range, fields, from_json, to_json

catalog.load("modifiers")


@pytest.fixture(params=list(catalog.modifiers), ids=lambda kind: kind.id)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_it_says_what_it_does_and_where_it_is_from(kind: Any) -> None:
    assert kind.label
    assert "arXiv" in kind.__doc__


def test_parameters_survive_json_and_lie_in_their_ranges(kind: Any) -> None:
    params = params_of(kind)()
    assert from_json(params_of(kind), to_json(params)) == params


def test_both_ends_of_every_range_run_in_one_call(kind: Any) -> None:
    model = open_model("toy")
    z = torch.randn(1, 192, 2, 2, generator=torch.Generator().manual_seed(1))
    level = model.levels(4)[2]
    for field in fields(params_of(kind)):
        ends = (field.marker.low, field.marker.high) if isinstance(field.marker, Range) else ()
        for end in ends:
            before = model.calls
            guided = wrapped(model, [Wrapped(kind.id, {field.name: end})])
            seen = guided.denoiser("sun")(z, level)
            assert model.calls == before + 1
            assert bool(seen.x0.isfinite().all())
            assert seen.x0.shape == z.shape


def test_equal_prompts_change_nothing(kind: Any) -> None:
    model = open_model("toy")
    z = torch.randn(1, 192, 2, 2, generator=torch.Generator().manual_seed(1))
    level = model.levels(4)[2]
    guided = wrapped(model, [Wrapped(kind.id, {"negative_prompt": "sun"})])
    plain = model.denoiser("sun")(z, level)
    assert torch.allclose(guided.denoiser("sun")(z, level).x0, plain.x0, atol=1e-5)
