"""Prompt-to-Prompt: what the maps do, and the edits that must change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionLayer, AttentionMapControl
from core.editing.prompt_edit import PromptEdit
from core.editing.prompt_warnings import NO_SOURCE_PROMPT, PROMPT_DOES_NOT_FIT
from core.techniques.prompt_to_prompt import PromptToPrompt, _SharedMaps
from tests.core.inverting import kept, network, result, step_at, task

SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}
OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}


@pytest.mark.parametrize("inverter", ["direct"])
@pytest.mark.parametrize("words", ["refine", "replace"])
def test_equal_prompts_give_the_picture(inverter: str, words: str) -> None:
    model = network()
    given = task(PromptToPrompt, inverter=inverter, words=words, **SAME)
    assert np.array_equal(result(PromptToPrompt, model, given), kept(model, given))


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(PromptToPrompt, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(PromptToPrompt, model, given), kept(model, given))
    assert model.calls == calls


def test_other_words_change_the_picture() -> None:
    model = network()
    given = task(PromptToPrompt, local_blend=False, **OTHER)
    assert not np.allclose(result(PromptToPrompt, model, given), kept(model, given), atol=1e-3)


def test_an_unsaid_source_works_and_is_told() -> None:
    model = network()
    model.notes.clear()
    result(PromptToPrompt, model, task(PromptToPrompt, prompt="a dog", steps=2))
    assert model.notes == [NO_SOURCE_PROMPT]
    model.notes.clear()
    result(PromptToPrompt, model, task(PromptToPrompt, steps=2, **OTHER))
    assert set(model.notes) <= {PROMPT_DOES_NOT_FIT.format("a cat")}


def variation_of(**changes: Any) -> _SharedMaps:
    given = task(PromptToPrompt, **{**OTHER, **changes})
    return _SharedMaps(PromptEdit(given, network()), given.params)


def control_of(variation: _SharedMaps) -> AttentionMapControl:
    """The control of the first step."""
    control = variation.attention(step_at(variation.edit, 0))
    assert isinstance(control, AttentionMapControl)
    return control


def test_no_share_of_steps_leaves_every_map() -> None:
    control = control_of(variation_of(cross_replace=0.0, self_replace=0.0, emphasis=1.0))
    for is_cross in (True, False):
        maps = torch.rand(4, 2, 16, 16)
        place = AttentionLayer(3, "x", is_cross)
        assert torch.equal(control.maps(place, maps), maps)


def test_shared_words_look_where_the_source_looks() -> None:
    variation = variation_of(cross_replace=1.0, emphasis=0.0)
    maps = torch.rand(4, 2, 16, 16)
    changed = control_of(variation).maps(AttentionLayer(3, "x", True), maps)
    dog = variation.new[0]
    shared = [token for token in range(len(variation.alignment)) if token not in variation.new]
    assert torch.equal(changed[1][..., shared], maps[0][..., shared])
    assert not changed[1][..., dog].any()
    assert torch.equal(changed[[0, 2, 3]], maps[[0, 2, 3]])


def test_layout_is_kept_below_full_resolution_only() -> None:
    control = control_of(variation_of(self_replace=1.0))
    coarse, fine = torch.rand(4, 2, 16, 16), torch.rand(4, 2, 64, 64)
    assert torch.equal(control.maps(AttentionLayer(3, "x", False), coarse)[1], coarse[0])
    assert torch.equal(control.maps(AttentionLayer(0, "x", False), fine), fine)


def test_the_blend_keeps_what_no_changed_word_looks_at() -> None:
    variation = variation_of()
    maps = torch.zeros(4, 2, 64, 16)
    maps[:, :, 0, variation.gone + variation.new] = 1.0
    control_of(variation).maps(AttentionLayer(0, "x", True), maps)
    state = (torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)]),)
    (after,) = variation.after(step_at(variation.edit, 5), state)
    assert after[1, :, 0, 0].all()
    assert not after[1, :, 4:, 4:].any()
    assert not after[0].any()
