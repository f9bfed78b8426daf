"""TurboEdit: equal words give the picture, the pseudo-guidance is a straight line."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.eta_step import step_mean
from core.diffusion.noise_schedule import full_schedule, nearest_index
from core.techniques import turboedit
from core.techniques.turboedit import CLEAN, TurboEdit, limit_map, noised_latents, turbo_levels
from tests.core.inverting import kept, network, result, task

OTHER = {"prompt": "a dog", "source_prompt": "a cat"}


def given(**changes: Any) -> Any:
    return task(TurboEdit, **{"steps": 4, **OTHER, **changes})


@pytest.mark.parametrize(
    ("steps", "times"),
    [(4, (799, 599, 399, 199)), (3, (799, 499, 199)), (2, (799, 199)), (1, (799,))],
)
def test_the_steps_begin_at_the_published_times(steps: int, times: tuple[int, ...]) -> None:
    levels = turbo_levels(network(), steps)
    assert tuple(level.time for level in levels[:-1]) == times
    assert levels[-1] == CLEAN


def test_the_cleanest_shifted_picture_is_the_picture() -> None:
    """Times 599, 399, 199 and none: 199 less 200 leaves no noise."""
    model, edit = network(), given()
    x0, fine = model.encode(edit.image), full_schedule(model)
    found = noised_latents(edit, model, turbo_levels(model, 4), x0)
    for i, time in enumerate((599, 399, 199)):
        level = next(level for level in fine if level.time == time)
        assert torch.allclose(found[i], level.mix(x0, edit.noise(x0, "map", i)))
    assert torch.equal(found[3], x0)
    assert torch.equal(found[4], x0)


def test_the_last_map_is_no_longer_than_published() -> None:
    long, short = torch.full((1, 4, 64, 64), 0.5), torch.full((1, 4, 64, 64), 0.1)
    assert float(limit_map(long).norm()) == pytest.approx(15.5, rel=1e-5)
    assert torch.equal(limit_map(short), short)
    assert float(limit_map(torch.full((1, 4, 32, 32), 0.5)).norm()) == pytest.approx(15.5 / 2)


def test_the_last_step_adds_the_shortened_map() -> None:
    """One step from time 799 with equal words: the prediction, and the map at its limit."""
    model, edit = network(), given(steps=1, prompt="a cat")
    x0, (here, there) = model.encode(edit.image), turbo_levels(model, 1)
    z = noised_latents(edit, model, (here, there), x0)[0]
    predicted = model.denoiser("a cat")(z, here).x0
    apart = x0 - predicted
    share = 15.5 / 128 / float(apart.square().mean().sqrt())
    assert share < 1
    wanted = model.decode(predicted + share * apart)
    assert np.allclose(result(TurboEdit, model, edit), wanted, atol=1e-4)


def test_equal_words_give_the_picture_but_for_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turboedit, "MAX_LAST_MAP", 1e9)
    model = network()
    same = given(prompt="a cat", emphasis=4.0)
    assert np.allclose(result(TurboEdit, model, same), kept(model, same), atol=1e-5)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    nought, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(TurboEdit, model, nought), kept(model, nought))
    assert model.calls == calls


def test_other_words_change_the_picture_in_one_call_a_step() -> None:
    model = network()
    calls = model.calls
    found = result(TurboEdit, model, given())
    assert model.calls - calls == 4
    assert not np.allclose(found, kept(model, given()), atol=1e-3)


def test_the_noised_pictures_are_cleaner_than_the_network_is_told() -> None:
    model = network()
    levels, x0 = turbo_levels(model, 4), model.encode(given().image)
    fine = full_schedule(model)
    for share in (0.0, 0.1):
        edit = given(shift=share)
        for i, (z, level) in enumerate(
            zip(noised_latents(edit, model, levels, x0), levels, strict=True)
        ):
            at = min(nearest_index(fine, level) + round(share * 1000), len(fine) - 1)
            wanted = fine[at].mix(x0, edit.noise(x0, "map", i)) if i < len(levels) - 1 else x0
            assert torch.allclose(z, wanted)
            assert fine[at].noise <= level.noise + 1e-6


def test_one_step_is_the_published_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turboedit, "MAX_LAST_MAP", 1e9)
    model = network()
    edit = given(steps=2, strength=0.5, emphasis=1.5)
    here, there = turbo_levels(model, 2)[-2:]
    x0 = model.encode(edit.image)
    z = noised_latents(edit, model, (here, there), x0)[0]
    before, after = (
        step_mean(model.denoiser(words)(z, here), here, there) for words in ("a cat", "a dog")
    )
    wanted = model.decode(x0 + 1.5 * (after - before))
    assert np.allclose(result(TurboEdit, model, edit), wanted, atol=1e-4)


def test_outside_the_mask_the_picture_stays() -> None:
    model = network()
    edit = given()
    edit.mask[:] = 0
    assert np.allclose(result(TurboEdit, model, edit), kept(model, edit), atol=1e-6)
