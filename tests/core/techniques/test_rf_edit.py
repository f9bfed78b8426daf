"""RF-Edit: whose values are seen when, on every kind of network, and what an edit leaves behind."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core import catalog, params
from core.ai.recipe_defaults import default_recipe
from core.diffusion.attention import AttentionCall, AttentionLayer, AttentionStates
from core.editing.inversion import Branches
from core.editing.prompt_warnings import NO_SOURCE_PROMPT
from core.models import joint_attention
from core.techniques.rf_edit import SOLVERS, Call, InversionRecord, RfEdit, _Edit, calls_of
from tests import tiny_flow
from tests.core.inverting import error, inverted, kept, network, result, source, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat", "steps": 6}
SAME: dict[str, Any] = {**OTHER, "prompt": "a cat", "guidance": 1.0, "strength": 0.5, "steps": 40}
EVERY: dict[str, Any] = {"shared_steps": 100, "start_layer": 0.0}

both = pytest.mark.parametrize("solver", SOLVERS)


@pytest.fixture(params=["unet", "sd3", "flux"])
def model(request: pytest.FixtureRequest) -> Any:
    found = network() if request.param == "unet" else tiny_flow.opened(request.param)
    found.cache.clear()
    found.notes.clear()
    return found


class Watching:
    """Opens a model's attention with what every control is given and gives, by network call."""

    def __init__(self, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[dict[int, tuple[Any, Any, Any]]] = []
        self.open = model.attention
        monkeypatch.setattr(model, "attention", self.attention)

    def attention(self, control: AttentionCall) -> AbstractContextManager[None]:
        seen: dict[int, tuple[Any, Any, Any]] = {}
        self.calls.append(seen)

        def watched(
            place: AttentionLayer, query: Tensor, key: Tensor, value: Tensor
        ) -> AttentionStates:
            given = control(place, query, key, value)
            assert given[0] is query
            assert given[1] is key
            seen[place.number] = (place, value, given[2])
            return given

        opened: AbstractContextManager[None] = self.open(watched)
        return opened


def values(changes: dict[str, Any], **more: Any) -> Any:
    return task(RfEdit, **{**changes, **more})


def alone(model: Any, given: Any) -> Any:
    """The solver's way up and down with closed attention layers."""
    chosen = given.params
    x0 = model.encode(given.image)
    known = replace(source(model, x0, chosen.steps), embeddings=model.embed([chosen.source_prompt]))
    path, _ = inverted(catalog.inverters[chosen.solver], known)
    said = model.embed([chosen.prompt])
    denoise = Branches(model, said, [chosen.guidance], model.embed([chosen.negative_prompt]))
    state = path.begin(1)
    for i in range(len(path.levels) - 1):
        state, _ = path.step(i, state, denoise)
    return model.decode(path.latent(state))


@both
def test_the_way_down_mirrors_the_way_up(solver: str) -> None:
    up, down = calls_of(solver, range(5)[::-1]), calls_of(solver, range(5))
    assert len(up) == len(down) == catalog.inverters[solver]().calls(5)
    assert [call.step for call in up] == sorted((call.step for call in up), reverse=True)
    assert [call.step for call in down] == sorted(call.step for call in down)
    middles = {Call(i, True) for i in range(5)}
    assert middles <= set(up) & set(down)
    if solver == "rf-solver":
        assert set(up) == set(down) == middles | {Call(i, False) for i in range(5)}
    else:
        assert (set(up) - middles, set(down) - middles) == ({Call(4, False)}, {Call(0, False)})


@both
@pytest.mark.parametrize("none", [{"shared_steps": 0}, {"start_layer": 1.0}])
def test_no_step_or_no_layer_is_the_walk_alone(
    model: Any, solver: str, none: dict[str, Any]
) -> None:
    given = values({**OTHER, **EVERY}, solver=solver, **none)
    assert np.allclose(result(RfEdit, model, given), alone(model, given), atol=1e-5)


def test_no_step_opens_no_layer(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    watching = Watching(model, monkeypatch)
    result(RfEdit, model, values(OTHER, shared_steps=0))
    assert not watching.calls


@both
def test_shared_values_are_felt(model: Any, solver: str) -> None:
    given = values(OTHER, solver=solver, **EVERY)
    assert not np.allclose(result(RfEdit, model, given), alone(model, given), atol=1e-5)


def latent_of(model: Any, given: Any) -> torch.Tensor:
    """The latent that an edit ends in."""
    run = _Edit(given, model).walk()
    while True:
        try:
            next(run)
        except StopIteration as end:
            found: torch.Tensor = end.value
            return found


@both
def test_the_same_words_come_back_as_near_as_the_solver_does(model: Any, solver: str) -> None:
    x0 = model.encode(values(SAME).image)
    walked = error(latent_of(model, values(SAME, solver=solver, shared_steps=0)), x0)
    shared = error(latent_of(model, values(SAME, solver=solver, **EVERY)), x0)
    other = error(latent_of(model, values(SAME, solver=solver, prompt="a dog", **EVERY)), x0)
    assert shared < 2 * walked
    assert shared < other / 5


@both
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_the_values_are_the_pictures_own(
    model: Any, solver: str, guidance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watching(model, monkeypatch)
    given = values(OTHER, solver=solver, shared_steps=2, start_layer=0.0, guidance=guidance)
    edit = _Edit(given, model)
    result(RfEdit, model, given)
    up = [call for call in calls_of(solver, range(edit.count)[::-1]) if call.step < 2]
    down = [call for call in calls_of(solver, range(edit.count)) if call.step < 2]
    assert len(watching.calls) == len(up) + len(down)
    recorded = dict(zip(up, watching.calls, strict=False))
    for call, seen in zip(down, watching.calls[len(up) :], strict=True):
        for number, (place, own, used) in seen.items():
            is_single = guidance == 1 or "embedded-guidance" in model.capabilities
            assert len(own) == (1 if is_single else 2)
            if place.is_cross or call not in recorded:
                assert used is own
                continue
            wanted = recorded[call][number][1]
            assert torch.equal(used, wanted.expand(len(own), -1, -1, -1))
            assert not torch.equal(used, own)


def test_published_layers_share_their_values() -> None:
    """FLUX's single-stream blocks above 19, and the last third of a UNet."""
    import diffusers

    small: dict[str, Any] = {
        "in_channels": 4,
        "attention_head_dim": 16,
        "num_attention_heads": 1,
        "joint_attention_dim": 8,
        "pooled_projection_dim": 8,
        "axes_dims_rope": (4, 6, 6),
    }
    flux: Any = diffusers.FluxTransformer2DModel
    found = joint_attention.attention_layers(flux(num_layers=19, num_single_layers=38, **small))
    wanted = [f"single_transformer_blocks.{i}.attn" for i in range(20, 38)]
    assert sharing(found.values()) == wanted
    blocks = [AttentionLayer(2 * i, str(i), False, 2 * i / 32) for i in range(16)]
    assert sharing(blocks) == [str(i) for i in range(11, 16)]
    assert not sharing([place._replace(is_cross=True) for place in blocks])


def test_fireflow_comes_with_what_it_was_published_with() -> None:
    """Eight steps, one of them shared, in every single-stream block of FLUX."""
    import diffusers

    values = default_recipe("rf-edit", "toy", values={"solver": "fireflow"}).params
    assert (values["steps"], values["shared_steps"]) == (8, 1)
    small: dict[str, Any] = {
        "in_channels": 4,
        "attention_head_dim": 16,
        "num_attention_heads": 1,
        "joint_attention_dim": 8,
        "pooled_projection_dim": 8,
        "axes_dims_rope": (4, 6, 6),
    }
    flux: Any = diffusers.FluxTransformer2DModel
    found = joint_attention.attention_layers(flux(num_layers=19, num_single_layers=38, **small))
    wanted = [f"single_transformer_blocks.{i}.attn" for i in range(38)]
    assert sharing(found.values(), start_layer=values["start_layer"]) == wanted
    given = {"solver": "fireflow", "steps": 12}
    assert default_recipe("rf-edit", "toy", values=given).params["steps"] == 12
    assert default_recipe("rf-edit", "toy").params == params.to_json(RfEdit.Params())


def sharing(places: Any, **changes: Any) -> list[str]:
    edit = _Edit(task(RfEdit, **changes), network())
    names = []
    for place in places:
        found: dict[Any, Any] = {}
        edit._keep(found, Call(0, True), place, *torch.zeros(3, 1, 1, 4, 2))
        names += [place.name] if found else []
    return names


def test_other_words_again_do_not_invert_again(model: Any) -> None:
    first = values(OTHER)
    result(RfEdit, model, first)
    calls, count = model.calls, _Edit(first, model).count
    changed = {"prompt": "a red cat", "guidance": 2.0, "negative_prompt": "grey"}
    for name, value in changed.items():
        run = RfEdit().run(values(OTHER, **{name: value}), model)
        assert next(run).of == count
        list(run)
    assert model.calls - calls == len(changed) * 2 * count
    others = {"solver": "fireflow", "steps": 7, "shared_steps": 1, "start_layer": 0.1}
    for name, other in others.items():
        assert next(RfEdit().run(values(OTHER, **{name: other}), model)).of > count


def test_a_way_up_too_large_to_keep_pushes_nothing_out(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = values(OTHER, **EVERY)
    edit = _Edit(given, model)
    wanted = result(RfEdit, model, given)
    known = model.cache.get(edit._key, lambda: None)
    assert known.nbytes > sum(states.nbytes for states in known.values.values()) > 0
    model.cache.clear()
    model.cache.put("older", torch.zeros(8))
    monkeypatch.setattr(InversionRecord, "nbytes", model.cache.budget)
    assert np.array_equal(result(RfEdit, model, given), wanted)
    assert edit._key not in model.cache
    assert "older" in model.cache


@both
def test_strength_nought_is_the_picture_and_no_call(model: Any, solver: str) -> None:
    given, calls = values(OTHER, solver=solver, strength=0.0), model.calls
    assert np.array_equal(result(RfEdit, model, given), kept(model, given))
    assert model.calls == calls


@both
def test_outside_the_region_the_walk_is_the_pictures(
    model: Any, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[:, :8] = 1
    given = replace(values(OTHER, solver=solver), mask=mask)
    shown: list[torch.Tensor] = []
    predict = model.predict

    def seen(z: torch.Tensor, *told: Any) -> Any:
        shown.append(z[:1])
        return predict(z, *told)

    monkeypatch.setattr(model, "predict", seen)
    end = latent_of(model, given)
    edit = _Edit(given, model)
    outside = (edit.mask == 0).expand_as(end)
    assert torch.allclose(end[outside], edit.x0[outside], atol=1e-4)
    assert not torch.allclose(end, edit.x0, atol=1e-2)
    up = dict(zip(calls_of(solver, range(edit.count)[::-1]), shown, strict=False))
    walked = zip(calls_of(solver, range(edit.count)), shown[len(up) :], strict=True)
    for call, z in walked:
        there = up.get(Call(call.step - 1, False))
        if there is not None and not call.is_middle:
            assert torch.allclose(z[outside], there[outside], atol=1e-4)
            assert not torch.allclose(z, there, atol=1e-2)


def test_nothing_to_paint_is_the_picture(model: Any) -> None:
    given = replace(values(OTHER), mask=np.zeros((64, 64), np.float32))
    assert np.allclose(result(RfEdit, model, given), kept(model, given), atol=1e-5)


@both
def test_cancelled_on_the_way_up_the_network_is_as_before(model: Any, solver: str) -> None:
    network = model.unet if hasattr(model, "unet") else model.transformer
    before = dict(network.attn_processors)
    given = values(OTHER, solver=solver, **EVERY)
    run = RfEdit().run(given, model)
    for _ in range(3):
        next(run)
        assert network.attn_processors == before
    run.close()
    assert network.attn_processors == before
    assert not network._forward_pre_hooks
    assert _Edit(given, model)._key not in model.cache


def test_unsaid_what_the_picture_shows_it_says_so(model: Any) -> None:
    image = result(RfEdit, model, values(OTHER, source_prompt=""))
    assert np.isfinite(image).all()
    assert model.notes == [NO_SOURCE_PROMPT]
    model.notes.clear()
    result(RfEdit, model, values(OTHER))
    assert NO_SOURCE_PROMPT not in model.notes
