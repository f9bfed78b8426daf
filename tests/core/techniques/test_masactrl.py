"""MasaCtrl: whose keys and values are seen, and the settings that leave sampling alone."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionLayer
from core.editing.prompt_edit import PromptEdit
from core.techniques.masactrl import (
    UNSEEN,
    ApartControl,
    MasaCtrl,
    MutualControl,
    Subject,
    _Mutual,
    _within,
)
from tests import tiny_flow
from tests.core.inverting import network, result, states_of, step_at, task
from tests.core.techniques.driving import finished

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat", "inverter": "ddim"}
SELF = AttentionLayer(9, "x", False, 0.7)


@pytest.fixture(params=["unet", "sd3", "flux"])
def model(request: pytest.FixtureRequest) -> Any:
    return network() if request.param == "unet" else tiny_flow.opened(request.param)


def plain(given: Any, model: Any) -> Any:
    """The same walk without a control."""
    return finished(PromptEdit(given, model).run())[1]


@pytest.mark.parametrize("changes", [{"start_step": 1.0}, {"start_layer": 1.0}])
def test_no_step_or_no_layer_is_plain_sampling(changes: dict[str, Any]) -> None:
    model = network()
    given = task(MasaCtrl, **OTHER, **changes)
    assert np.array_equal(result(MasaCtrl, model, given), plain(given, model))


def test_the_published_layers_change_the_picture() -> None:
    model = network()
    given = task(MasaCtrl, **OTHER)
    assert not np.allclose(result(MasaCtrl, model, given), plain(given, model), atol=1e-4)


def test_the_last_layers_change_the_picture(model: Any) -> None:
    given = task(MasaCtrl, start_layer=0.5, **OTHER)
    assert not np.allclose(result(MasaCtrl, model, given), plain(given, model), atol=1e-4)


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_same_prompt_stays_on_the_source(model: Any, guidance: float) -> None:
    same: dict[str, Any] = {**OTHER, "prompt": "a cat", "start_step": 0.0, "start_layer": 0.0}
    given = task(MasaCtrl, guidance=guidance, **same)
    edit = PromptEdit(given, model)
    states = states_of(_Mutual(edit, given.params))
    apart = [float((z[0] - z[1]).abs().max()) for z, *_ in states]
    assert len(apart) == edit.count
    assert max(apart) < 1e-5


def control_of(index: int = 3) -> MutualControl:
    given = task(MasaCtrl, **OTHER)
    return MutualControl(step_at(PromptEdit(given, network()), index), given.params)


def test_both_halves_of_the_edit_see_the_source() -> None:
    q, k, v = torch.randn(3, 4, 2, 16, 8)
    seen = control_of()(SELF, q, k, v)
    assert torch.equal(seen[0], q)
    for given, used in ((k, seen[1]), (v, seen[2])):
        assert torch.equal(used[[1, 3]], given[[0, 2]])
        assert torch.equal(used[[0, 2]], given[[0, 2]])


def test_words_keep_their_own_beside_the_picture() -> None:
    q, k, v = torch.randn(3, 4, 2, 16, 8)
    _, keys, values = control_of()(SELF._replace(prompt_tokens=5), q, k, v)
    for given, used in ((k, keys), (v, values)):
        assert torch.equal(used[:, :, :5], given[:, :, :5])
        assert torch.equal(used[[1, 3], :, 5:], given[[0, 2], :, 5:])
        assert torch.equal(used[[0, 2]], given[[0, 2]])


@pytest.mark.parametrize("kind", ["sd3", "flux"])
def test_a_subject_that_cannot_be_found_is_left_aside_and_told(kind: str) -> None:
    model = tiny_flow.opened(kind)
    model.notes.clear()
    wanted = result(MasaCtrl, model, task(MasaCtrl, **OTHER))
    assert UNSEEN not in model.notes
    given = task(MasaCtrl, subject="cat", **OTHER)
    assert np.array_equal(result(MasaCtrl, model, given), wanted)
    assert UNSEEN in model.notes


def test_words_early_layers_and_early_steps_are_left_alone() -> None:
    q, k, v = torch.randn(3, 4, 2, 16, 8)
    control = control_of()
    assert control(AttentionLayer(9, "x", True, 0.7), q, k, v)[1] is k
    assert control(AttentionLayer(9, "x", False, 0.6), q, k, v)[1] is k
    assert control_of(index=0)(SELF, q, k, v)[1] is k


def test_layers_are_counted_as_published() -> None:
    """Stable Diffusion's 16 blocks: the six from block 10 on."""
    control = control_of()
    acting = [
        block for block in range(16) if control.acts(AttentionLayer(0, "x", False, 2 * block / 32))
    ]
    assert acting == list(range(10, 16))


def test_subject_sees_subject_and_background_background() -> None:
    given = task(MasaCtrl, **{**OTHER, "prompt": "a cat in the house", "subject": "cat"})
    edit = PromptEdit(given, network())
    subject = Subject(edit, given.params)
    control = ApartControl(step_at(edit, 3), given.params, subject)
    cross = torch.zeros(4, 2, 64, 16)
    cross[0, :, :8, subject.tokens[0]] = 1.0
    cross[1, :, 8:16, subject.tokens[1]] = 1.0
    control.maps(AttentionLayer(1, "x", True, 0.1), cross)
    maps = torch.rand(4, 2, 64, 64).softmax(-1)
    changed = control.maps(SELF, maps)
    for row in (1, 3):
        assert not changed[row, :, 8:16, 8:].any()
        assert not changed[row, :, 16:, :8].any()
        assert torch.allclose(changed[row].sum(-1), torch.ones(2, 64))
    assert torch.equal(changed[[0, 2]], maps[[0, 2]])


def test_a_query_without_its_like_keeps_its_map() -> None:
    maps = torch.rand(2, 3, 4).softmax(-1)
    allowed = torch.tensor([[True, True, False, False], [False] * 4, [True] * 4])
    changed = _within(maps, allowed)
    assert torch.equal(changed[:, 1], maps[:, 1])
    assert torch.allclose(changed[:, 2], maps[:, 2])
    assert not changed[:, 0, 2:].any()


def test_a_subject_changes_the_picture() -> None:
    model = network()
    words: dict[str, Any] = {"prompt": "a red cat", "source_prompt": "a cat", "inverter": "ddim"}
    without = result(MasaCtrl, model, task(MasaCtrl, **words))
    assert not np.array_equal(
        result(MasaCtrl, model, task(MasaCtrl, subject="cat", **words)), without
    )


def test_maps_count_until_the_first_of_the_next_step() -> None:
    """Self-attention comes before cross-attention, so the first layers use the step before."""
    given = task(MasaCtrl, **OTHER, subject="cat")
    edit = PromptEdit(given, network())
    subject, cross = Subject(edit, given.params), AttentionLayer(1, "x", True, 0.1)
    for index, count in ((0, 1), (0, 2), (1, 1)):
        subject.collect(step_at(edit, index), cross, torch.rand(4, 2, 64, 16))
        assert len(subject.collector.collected) == count
