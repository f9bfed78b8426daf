"""What every modifier owes."""

from typing import Any

import pytest
import torch

from core import catalog
from core.catalog import params_of
from core.modifiers.wrapping import wrap_model
from core.params import NegativePrompt, Range, field_marked, fields, from_json, to_json
from core.task import ModifierSetting
from tests.contracts.papers import check_paper
from tests.core.inverting import network

catalog.load("modifiers")


@pytest.fixture(params=list(catalog.modifiers), ids=lambda kind: kind.id)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_it_says_what_it_does_and_where_it_is_from(kind: Any) -> None:
    assert kind.label
    assert "arXiv" in kind.__doc__
    check_paper(kind)


def test_parameters_survive_json_and_lie_in_their_ranges(kind: Any) -> None:
    params = params_of(kind)()
    assert from_json(params_of(kind), to_json(params)) == params


def latent() -> torch.Tensor:
    return torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(1))


def test_both_ends_of_every_range_run_in_as_many_calls_as_it_says(kind: Any) -> None:
    model, z = network(), latent()
    level = model.levels(4)[1]
    for field in fields(params_of(kind)):
        ends = (field.marker.low, field.marker.high) if isinstance(field.marker, Range) else ()
        for end in ends:
            before = model.calls
            seen = wrap_model(model, [ModifierSetting(kind.id, {field.name: end})]).denoiser("cat")(
                z, level
            )
            assert 1 <= model.calls - before <= kind.calls
            assert bool(seen.x0.isfinite().all())
            assert seen.x0.shape == z.shape


def test_a_batch_and_a_way_up_run(kind: Any) -> None:
    model, z = network(), latent().repeat(2, 1, 1, 1)
    there, here = model.levels(10)[4:6]
    denoise = wrap_model(model, [ModifierSetting(kind.id)]).denoiser(model.embed(["cat", "dog"]))
    for seen in (denoise(z, there), denoise(z, here), denoise(z, here, there)):
        assert bool(seen.x0.isfinite().all())
        assert seen.eps.shape == z.shape


def test_equal_prompts_change_nothing(kind: Any) -> None:
    if field_marked(params_of(kind), NegativePrompt) is None:
        pytest.skip("sets no prompt against another")
    model, z = network(), latent()
    level = model.levels(4)[2]
    guided = wrap_model(model, [ModifierSetting(kind.id, {"negative_prompt": "cat"})])
    plain = model.denoiser("cat")(z, level)
    assert torch.allclose(guided.denoiser("cat")(z, level).x0, plain.x0, atol=1e-4)
