"""The frame of edits by prompts: which methods of a variation are called, when, with what."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionCall, AttentionStates, FeatureTap, IdleControl
from core.diffusion.model import Conditioning, Denoise
from core.editing.inversion import PathState
from core.editing.prompt_edit import EditStep, EditVariation, PromptEdit
from core.editing.prompt_warnings import warn_about_prompt
from core.techniques.invert_and_edit import InvertAndEdit
from tests.core.inverting import batches, kept, network, result, states_of, task
from tests.core.techniques.driving import finished

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat", "inverter": "direct"}


def edit_of(**changes: Any) -> PromptEdit:
    network().cache.clear()
    return PromptEdit(task(InvertAndEdit, **{**OTHER, "strength": 1.0, **changes}), network())


class Noting(EditVariation):
    """Changes nothing and notes what it is asked for."""

    def __init__(self, edit: PromptEdit) -> None:
        super().__init__(edit)
        self.asked: list[tuple[str, int]] = []
        self.layers: list[int] = []
        self.blocks: set[str] = set()

    def start(self, state: PathState) -> PathState:
        self.asked.append(("start", -1))
        return state

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        assert denoise is step.branches
        self.asked.append(("guide", step.index))
        return denoise

    def attention(self, step: EditStep) -> AttentionCall:
        self.asked.append(("attention", step.index))
        idle = IdleControl()

        def control(place: Any, *states: Any) -> AttentionStates:
            self.layers.append(step.index)
            return idle(place, *states)

        return control

    def features(self, step: EditStep) -> FeatureTap:
        self.asked.append(("features", step.index))
        return lambda name, _: self.blocks.add(name)

    def after(self, step: EditStep, state: PathState) -> PathState:
        self.asked.append(("after", step.index))
        return state


def test_a_variation_is_asked_once_a_step_and_in_order() -> None:
    edit = edit_of()
    noting = Noting(edit)
    finished(edit.run(noting))
    calls = ("guide", "attention", "features", "after")
    steps = [(name, index) for index in range(edit.count) for name in calls]
    assert noting.asked == [("start", -1), *steps]
    assert sorted(set(noting.layers)) == list(range(edit.count))
    assert "up_blocks.1" in noting.blocks


def test_without_a_variation_it_is_the_plain_edit() -> None:
    edit = edit_of()
    plain = finished(edit.run())[1]
    assert np.array_equal(plain, finished(edit.run(EditVariation(edit)))[1])
    assert not np.allclose(plain, kept(network(), edit.task), atol=1e-3)


def test_steps_know_their_number_and_their_branches() -> None:
    edit, steps = edit_of(), []

    class Steps(EditVariation):
        def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
            steps.append(step)
            return denoise

        def scales(self) -> list[float]:
            return [1.0, 3.0]

    states = states_of(Steps(edit))
    assert [step.index for step in steps] == list(range(edit.count))
    assert {step.count for step in steps} == {edit.count} == {len(states)}
    assert all(step.branches.scales == (1.0, 3.0) for step in steps)
    with pytest.raises(FrozenInstanceError):
        steps[0].index = 7  # type: ignore[misc]


def test_scales_and_embeddings_are_those_of_the_variation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = network()

    class OfSource(EditVariation):
        def scales(self) -> list[float]:
            return [1.0, 1.0]

        def embeddings(self) -> Conditioning:
            return self.edit.model.embed(["", ""])

    given = task(InvertAndEdit, prompt="a dog", inverter="edit-friendly", strength=1.0)
    edit = PromptEdit(given, model)
    # Asked once for a picture and a prompt, and remembered: not a call of the walk.
    warn_about_prompt(given, model, edit.x0)
    rows = batches(model, monkeypatch)
    found = finished(edit.run(OfSource(edit)))[1]
    assert rows == [1] * edit.count + [2] * edit.count
    np.testing.assert_allclose(found, kept(model, given), atol=1e-3)


def test_the_total_counts_the_inversion_until_its_path_is_known() -> None:
    edit = edit_of()
    guidance = EditVariation(edit).scales()[0]
    assert edit.total(guidance) == 2 * edit.count
    steps, _ = finished(edit.run())
    assert len(steps) == 2 * edit.count
    assert edit.total(guidance) == edit.count
    assert edit.total(guidance + 1) == 2 * edit.count
    assert edit_of(strength=0.0).total(guidance) == 0


def test_start_changes_where_the_branches_begin() -> None:
    edit = edit_of(inverter="ddim")

    class FromNoise(EditVariation):
        def start(self, state: PathState) -> PathState:
            (z,) = state
            noise = self.edit.task.noise(self.edit.x0, "start")
            return (torch.cat([z[:1], noise]),)

    plain, moved = (finished(edit.run(kind(edit)))[1] for kind in (EditVariation, FromNoise))
    assert not np.allclose(plain, moved, atol=1e-2)
    assert result(InvertAndEdit, network(), edit.task).shape == moved.shape
