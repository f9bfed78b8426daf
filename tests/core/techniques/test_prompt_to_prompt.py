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

CROSS = AttentionLayer(3, "x", True)
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


def control_at(variation: _SharedMaps, index: int) -> AttentionMapControl:
    control = variation.attention(step_at(variation.edit, index))
    assert isinstance(control, AttentionMapControl)
    return control


def test_all_positions_but_new_words_look_where_the_source_looks() -> None:
    variation = variation_of(cross_replace=1.0, emphasis=0.0)
    maps = torch.rand(4, 2, 16, 16)
    changed = control_of(variation).maps(CROSS, maps)
    (dog,) = variation.new
    others = [token for token in range(16) if token != dog]
    assert torch.equal(changed[1][..., others], maps[0][..., others])
    assert not changed[1][..., dog].any()
    assert torch.equal(changed[[0, 2, 3]], maps[[0, 2, 3]])


@pytest.mark.parametrize(
    ("source", "target", "share"), [("a cat", "a red dog", 1 / 2), ("a red dog", "a cat", 1.0)]
)
def test_replaced_words_share_the_maps_of_what_they_replace(
    source: str, target: str, share: float
) -> None:
    """The published matrix, written out: one word for n, n for one."""
    words = {"source_prompt": source, "prompt": target}
    variation = variation_of(words="replace", cross_replace=1.0, emphasis=1.0, **words)
    maps = torch.rand(4, 2, 16, 16)
    changed = control_of(variation).maps(CROSS, maps)[1]
    wanted = share * maps[0][..., variation.gone].sum(-1)
    for token in variation.new:
        assert torch.allclose(changed[..., token], wanted, atol=1e-6)
    behind = len(variation.edit.model.pieces(target)) - 1
    counterpart = len(variation.edit.model.pieces(source)) - 1
    assert torch.equal(changed[..., behind], maps[0][..., counterpart])
    assert torch.equal(changed[..., behind + 1 :], maps[0][..., behind + 1 :])


def test_emphasis_acts_in_the_steps_of_the_exchange() -> None:
    variation = variation_of(cross_replace=0.4, emphasis=3.0)
    assert variation.edit.count == 5
    maps = torch.rand(4, 2, 16, 16)
    (dog,) = variation.new
    for index, factor in enumerate((3.0, 3.0, 1.0, 1.0, 1.0)):
        changed = control_at(variation, index).maps(CROSS, maps)
        assert torch.allclose(changed[1][..., dog], factor * maps[1][..., dog])
        assert torch.equal(changed, maps) == (factor == 1.0)


def test_the_blend_reads_the_maps_after_the_change() -> None:
    """Emphasised threefold, 0.2 of the source's highest counts; as the network gives it, not."""
    variation = variation_of(cross_replace=0.2, emphasis=3.0)
    (dog,), low = variation.new, torch.zeros(4, 2, 64, 16)
    low[1, :, 0, dog], low[1, :, 63, dog] = 1.0, 0.6
    control_at(variation, 0).maps(CROSS, low)
    high = torch.zeros(4, 2, 64, 16)
    high[1, :, 0, dog] = 1.5
    control_at(variation, 4).maps(CROSS, high)
    # 3 * 0.6 of 3 * 1 + 1.5 is 0.4; without the change 0.6 of 2.5 is 0.24.
    state = (torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)]),)
    (after,) = variation.after(step_at(variation.edit, 4), state)
    assert after[1, :, 7, 7].all()


def test_the_blend_is_enlarged_by_nearest_neighbour() -> None:
    """Twice the map's size; between 0.35 and 0 other ways would go below the threshold."""
    variation = variation_of()
    variation.cells = (32, 32)
    (dog,), maps = variation.new, torch.zeros(256, 16)
    maps[0, dog], maps[8 * 16 + 8, dog] = 1.0, 0.35
    where = variation._where(maps, [dog])[0, 0]
    # Each cell and the ring around it, as far as the map reaches.
    assert where[:4, :4].all()
    assert where[14:20, 14:20].all()
    assert where.sum() == 4 * 4 + 6 * 6


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
