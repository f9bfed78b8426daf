"""Non-rigid editing: the fit of the words, when they are let in, and edits that change nothing."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from core.diffusion.model import Conditioning
from core.diffusion.noise_schedule import full_schedule
from core.editing.inversion import PathState, invertible_levels
from core.editing.prompt_edit import EditStep, PromptEdit
from core.techniques.non_rigid import (
    NonRigid,
    _draw_levels,
    _LateEdit,
    copy_source,
    mix_embeddings,
    optimise_embeddings,
)
from tests.core.inverting import kept, network, result, task
from tests.core.techniques.driving import finished

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
PLAIN: dict[str, Any] = {"source_share": 0.0, "fitting": 0}


def given_of(seed: int = 1, **changes: Any) -> Any:
    network().cache.clear()
    return task(NonRigid, seed, **{**OTHER, **changes})


def test_the_source_all_the_way_is_the_picture() -> None:
    model = network()
    given = given_of(source_share=1.0)
    assert np.array_equal(result(NonRigid, model, given), kept(model, given))


def test_neither_source_nor_fit_is_plain_sampling() -> None:
    model = network()
    given = given_of(**PLAIN)
    _, wanted = finished(PromptEdit(given, model).run())
    assert np.array_equal(result(NonRigid, model, given), wanted)


def test_words_as_written_are_not_fitted() -> None:
    model = network()
    written = result(NonRigid, model, given_of(source_share=0.0, as_written=1.0))
    np.testing.assert_allclose(written, result(NonRigid, model, given_of(**PLAIN)), atol=1e-5)
    other = result(NonRigid, model, given_of(source_share=0.0, as_written=0.0))
    assert not np.allclose(other, written, atol=1e-4)


def test_the_edit_is_the_source_until_it_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    model, apart = network(), []
    given = given_of(fitting=0, steps=11, inverter="ddim")
    after = _LateEdit.after

    def watched(variation: _LateEdit, step: EditStep, state: PathState) -> PathState:
        changed = after(variation, step, state)
        apart.append(not torch.equal(changed[0][0], changed[0][1]))
        return changed

    monkeypatch.setattr(_LateEdit, "after", watched)
    result(NonRigid, model, given)
    assert apart == [False] * 4 + [True] * 6


def test_every_branch_is_put_where_the_source_is() -> None:
    state = (torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4))
    for part, placed in zip(state, copy_source(state), strict=True):
        assert torch.equal(placed, part[:1].expand(3, -1, -1, -1))


def loss(model: Any, given: Any, tokens: torch.Tensor) -> float:
    """How badly words explain noise that they were not fitted to."""
    x0 = model.encode(given.image)
    total = 0.0
    for n, level in enumerate(invertible_levels(full_schedule(model))[20:-1:60]):
        noise = given.noise(x0, "held out", n)
        prediction = model.denoiser(Conditioning(("",), tokens))(level.mix(x0, noise), level)
        total += float(mse_loss(prediction.eps, noise))
    return total


def fit(model: Any, given: Any, rounds: int) -> torch.Tensor:
    run, seen = optimise_embeddings(given, model, model.encode(given.image), rounds), 0
    while True:
        try:
            assert not next(run).requires_grad
            seen += 1
        except StopIteration as end:
            assert seen == rounds
            tokens: torch.Tensor = end.value
            return tokens


def test_fitted_words_explain_the_picture_better() -> None:
    model, given = network(), given_of()
    before = model.embed([given.params.prompt]).tokens
    tokens = fit(model, given, 40)
    assert not tokens.requires_grad
    assert not before.requires_grad
    away = 2 * before - tokens
    assert loss(model, given, tokens) < loss(model, given, before) < loss(model, given, away)


def test_a_round_is_adam_s_step_against_the_gradient() -> None:
    model, given = network(), given_of()
    x0, before = model.encode(given.image), model.embed([given.params.prompt]).tokens
    (level,), noise = _draw_levels(given, model, x0, 1), given.noise(x0, "fit", 0)
    tokens = before.clone().requires_grad_()
    prediction = model.denoiser(Conditioning(("",), tokens))(level.mix(x0, noise), level)
    (slope,) = torch.autograd.grad(mse_loss(prediction.eps, noise), tokens)
    steep = slope.abs() > 1e-6
    assert steep.sum() > 100
    moved = (fit(model, given, 1) - before)[steep]
    assert torch.allclose(moved, -0.001 * slope[steep].sign(), atol=2e-5)


def test_levels_are_spread_and_shuffled_by_the_seed() -> None:
    model = network()
    x0 = torch.zeros(1, 16, 8, 8)
    one, two = (_draw_levels(given_of(seed), model, x0, 40) for seed in (1, 2))
    assert one != two
    assert sorted(one) == sorted(two)
    signals = sorted(level.signal for level in one)
    assert signals[0] < 0.1
    assert signals[-1] > 0.99
    assert list(one) != sorted(one)


def test_mixing_is_between_fitted_and_written() -> None:
    embeddings = network().embed(["a cat", "a dog"])
    tokens = torch.randn(
        1, *embeddings.tokens.shape[1:], generator=torch.Generator().manual_seed(0)
    )
    found = mix_embeddings(embeddings, tokens, 0.25).tokens
    assert torch.equal(found[0], embeddings.tokens[0])
    assert torch.allclose(found[1], 0.75 * tokens[0] + 0.25 * embeddings.tokens[1], atol=1e-6)


def test_another_mixture_needs_no_other_fit() -> None:
    model = network()
    steps, _ = finished(NonRigid().run(given_of(), model))
    assert {step.of for step in steps} == {len(steps)}
    assert [step.n for step in steps] == list(range(1, 5 * 4 + 5 + 5 + 1))
    again = task(NonRigid, **OTHER, as_written=0.9)
    steps, _ = finished(NonRigid().run(again, model))
    assert len(steps) == 5


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = given_of(strength=0.0)
    calls = model.calls
    assert np.array_equal(result(NonRigid, model, given), kept(model, given))
    assert model.calls == calls
