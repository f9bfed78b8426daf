"""InfEdit: the same words change nothing, the consistent step, and who attends to whom."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionLayer
from core.diffusion.model import Level, Prediction
from core.editing.inversion import Branches
from core.techniques.infedit import InfEdit, UnifiedAttention, _Edit, most_alike
from tests.core.inverting import error, kept, network, result, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}
SELF, CROSS = AttentionLayer(8, "x", False), AttentionLayer(9, "x", True)


def edit_of(**changes: Any) -> Any:
    return _Edit(task(InfEdit, **{**OTHER, **changes}), network())


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("guidance", [1.0, 2.3])
@pytest.mark.parametrize("fresh", [1.0, 0.3])
def test_the_same_words_give_the_picture(seed: int, guidance: float, fresh: float) -> None:
    model = network()
    scales = {"guidance": guidance, "source_guidance": guidance, "fresh": fresh}
    given = task(InfEdit, seed, **SAME, **scales)
    np.testing.assert_allclose(result(InfEdit, model, given), kept(model, given), atol=1e-5)


@pytest.mark.parametrize("local_blend", [False, True])
def test_other_words_change_the_picture(local_blend: bool) -> None:
    model = network()
    given = task(InfEdit, local_blend=local_blend, guidance=7.5, **OTHER)
    assert not np.allclose(result(InfEdit, model, given), kept(model, given), atol=1e-3)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(InfEdit, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(InfEdit, model, given), kept(model, given))
    assert model.calls == calls


def test_outside_the_mask_is_the_picture() -> None:
    model = network()
    given = task(InfEdit, guidance=7.5, **OTHER)
    given.mask[:] = 0
    given.mask[:8, :8] = 1
    found, wanted = result(InfEdit, model, given), kept(model, given)
    np.testing.assert_allclose(found[32:, 32:], wanted[32:, 32:], atol=1e-6)
    assert not np.allclose(found[:8, :8], wanted[:8, :8], atol=1e-3)


def test_one_call_a_step_and_no_inversion() -> None:
    model = network()
    calls = model.calls
    result(InfEdit, model, task(InfEdit, steps=9, **OTHER))
    assert model.calls - calls == 8


@pytest.mark.parametrize("fresh", [0.0, 0.4, 1.0])
def test_the_consistent_step_is_the_published_one(fresh: float) -> None:
    edit = edit_of(fresh=fresh)
    here, there = Level(0.6, 0.8, 500), Level(0.8, 0.6, 300)
    z, eps, noise = random(3, 16, 8, 8), random(3, 16, 8, 8, seed=1), random(1, 16, 8, 8, seed=2)
    seen = Prediction((z - 0.8 * eps) / 0.6, eps)
    moved = edit._step(z, seen, here, there, noise)
    consistent = (z[:1] - 0.6 * edit.x0) / 0.8
    clean = edit.x0 + ((z - z[:1]) - 0.8 * (eps - eps[:1])) / 0.6
    direction = 0.6 * (1 - fresh) ** 0.5 * (eps - eps[:1] + consistent)
    assert error(moved, 0.8 * clean + direction + 0.6 * fresh**0.5 * noise) < 1e-5


def test_the_source_stays_a_noised_picture() -> None:
    edit = edit_of(guidance=7.5)
    here, there = edit.levels[1], edit.levels[2]
    z = random(3, 16, 8, 8)
    z[0] = here.mix(edit.x0, random(1, 16, 8, 8, seed=1))[0]
    moved = edit._step(z, edit._predict(z, here), here, there, edit._noise(2))
    assert error(moved[:1], there.mix(edit.x0, edit._noise(2))) < 1e-5


@pytest.mark.parametrize(("source", "target"), [(2.0, 4.0), (1.0, 4.0), (4.0, 1.0)])
def test_every_branch_is_guided_by_its_own_scale(
    source: float, target: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UnifiedAttention, "__call__", lambda self, place, *states: states)
    edit = edit_of(guidance=target, source_guidance=source, cross_replace=0.0)
    z, level = random(3, 16, 8, 8), edit.levels[2]
    seen = edit._predict(z, level)
    wanted = Branches(edit.model, edit.embeddings, (source, target, source), edit.negative)(
        z, level
    )
    assert error(seen.eps, wanted.eps) < 1e-4
    assert error(seen.x0, wanted.x0) < 1e-4


def control_of(at: int = 0, **changes: Any) -> UnifiedAttention:
    model = network()
    given = task(InfEdit, **{**OTHER, **changes})
    control = UnifiedAttention(given.params, model, torch.zeros(1, 16, 8, 8), 10)
    control.at = at
    return control


@pytest.mark.parametrize("halves", [1, 2])
def test_early_layout_is_the_source_s_and_late_the_edit_s(halves: int) -> None:
    q, k, v = random(3, 3 * halves, 2, 16, 8)
    for at, queries, keys in ((5, (0, 0, 0), (0, 0, 0)), (6, (0, 1, 1), (0, 1, 0))):
        seen = control_of(at)(SELF, q, k, v)
        for given, used, branches in zip((q, k, v), seen, (queries, keys, (0, 1, 0)), strict=True):
            rows = [3 * half + branch for half in range(halves) for branch in branches]
            assert torch.equal(used, given[rows])
    assert control_of(5)(CROSS, q, k, v)[0] is q


def test_all_positions_look_where_the_layout_looks_until_they_are_free() -> None:
    maps = random(6, 2, 16, 16)
    for at, is_lent in ((6, True), (7, False)):
        control = control_of(at)
        changed = control.maps(CROSS, maps)
        assert torch.equal(changed[1], maps[2 if is_lent else 1])
        assert torch.equal(changed[[0, 2, 3, 4, 5]], maps[[0, 2, 3, 4, 5]])
    assert torch.equal(control_of(0).maps(SELF, maps), maps)


def test_one_pair_of_a_replaced_run_is_exchanged() -> None:
    """The most alike by the cosine; the other new words keep their own maps."""
    control = control_of(0, source_prompt="a cat", prompt="a small red dog")
    ((there, here),) = control.pairs
    maps = random(3, 2, 16, 16)
    changed = control.maps(CROSS, maps)[1]
    assert torch.equal(changed[..., here], maps[2][..., there])
    end = len(network().pieces("a small red dog")) - 1
    others = [token for token in range(2, end) if token != here]
    assert len(others) >= 2
    assert torch.equal(changed[..., others], maps[1][..., others])
    assert torch.equal(changed[..., end], maps[2][..., len(network().pieces("a cat")) - 1])
    assert torch.equal(changed[..., end + 1 :], maps[2][..., end + 1 :])


def test_the_most_alike_are_found_by_their_angle() -> None:
    tokens = torch.zeros(2, 5, 2)
    tokens[0, 1], tokens[0, 2] = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
    tokens[1, 1], tokens[1, 2] = torch.tensor([0.0, 9.0]), torch.tensor([0.1, 0.11])
    assert most_alike(tokens, [(range(1, 3), range(1, 3))]) == [(2, 2)]
    assert most_alike(tokens, [(range(7, 8), range(1, 2))]) == []
    assert most_alike(tokens, []) == []


def test_words_named_as_in_the_source_are_edited_too() -> None:
    control = control_of(0, edited_words="cat")
    assert control.edited == [2]


def test_there_is_no_blend_after_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    blended: list[int] = []

    def noted(self: UnifiedAttention, z: torch.Tensor, _: Level) -> torch.Tensor:
        blended.append(self.at)
        return z

    monkeypatch.setattr(UnifiedAttention, "blend", noted)
    edit = edit_of(steps=6)
    for _ in edit.walk():
        pass
    assert edit.count == 5
    assert blended == [1, 2, 3]


def looking(control: UnifiedAttention, word: int, source: int, layout: int) -> None:
    """The maps of one word: all on one cell, of the source and of the layout branch."""
    maps = torch.zeros(3, 2, 64, 16)
    maps[0, :, source, word] = 1.0
    maps[2, :, layout, word] = 1.0
    control.maps(CROSS, maps)


def blended(control: UnifiedAttention) -> torch.Tensor:
    z = torch.arange(3.0).view(3, 1, 1, 1).repeat(1, 2, 8, 8)
    return control.blend(z, Level(0.8, 0.6, 300))[1, 0].flatten()


def test_the_edit_stays_where_its_words_look() -> None:
    control = control_of(3)
    looking(control, word=2, source=5, layout=7)
    found = blended(control)
    assert found[7] == 1
    assert (found == 2).sum() == 63


def test_kept_words_are_the_source_s() -> None:
    control = control_of(3, prompt="a red dog", source_prompt="a red cat", kept_words="red")
    looking(control, word=2, source=5, layout=6)
    looking(control, word=3, source=8, layout=9)
    found = blended(control)
    assert found[5] == 0
    assert found[9] == 1
    assert (found == 2).sum() == 62


def test_words_both_edited_and_kept_end_as_the_layout() -> None:
    for at, wanted in ((3, 1), (8, 2), (9, 1)):
        words = {"prompt": "a cat", "edited_words": "cat", "kept_words": "cat"}
        control = control_of(at, **words)
        looking(control, word=2, source=5, layout=5)
        assert blended(control)[5] == wanted


def test_early_edits_need_words_that_look_harder() -> None:
    control = control_of(3)
    maps = torch.zeros(3, 2, 64, 16)
    maps[2, :, 7, 2], maps[2, :, 8, 2] = 1.0, 0.6
    control.maps(CROSS, maps)
    z = torch.arange(3.0).view(3, 1, 1, 1).repeat(1, 2, 8, 8)
    for signal, count in ((0.8, 2), (0.2, 1), (0.1, 0)):
        after = control.blend(z, Level(signal, 0.6, 300))
        assert (after[1, 0] == 1).sum() == count


def test_no_words_to_edit_leave_the_edit_alone() -> None:
    control = control_of(3, prompt="a cat")
    looking(control, word=2, source=5, layout=7)
    assert (blended(control) == 1).all()


def test_the_same_noise_at_a_level_whatever_the_strength() -> None:
    whole, part = edit_of(steps=9), edit_of(steps=9, strength=0.5)
    assert part.count == 4
    assert part.levels[0] == whole.levels[4]
    assert torch.equal(part._noise(0), whole._noise(4))
