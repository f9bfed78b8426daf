"""TurboEdit: equal words give the picture, the pseudo-guidance is a straight line."""

from typing import Any

import numpy as np
import torch

from core.diffusion.eta_step import step_mean
from core.diffusion.noise_schedule import full_schedule, nearest_index
from core.editing.inversion import invertible_levels
from core.techniques.turboedit import TurboEdit, noised_latents
from tests.core.inverting import kept, network, result, task

OTHER = {"prompt": "a dog", "source_prompt": "a cat"}


def given(**changes: Any) -> Any:
    return task(TurboEdit, **{"steps": 4, **OTHER, **changes})


def test_equal_words_give_the_picture_whatever_the_emphasis() -> None:
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
    assert model.calls - calls == len(invertible_levels(model.levels(4))) - 1
    assert not np.allclose(found, kept(model, given()), atol=1e-3)


def test_the_noised_pictures_are_cleaner_than_the_network_is_told() -> None:
    model = network()
    levels, x0 = invertible_levels(model.levels(4)), model.encode(given().image)
    fine = full_schedule(model)
    for share in (0.0, 0.2):
        edit = given(shift=share)
        for i, (z, level) in enumerate(
            zip(noised_latents(edit, model, levels, x0), levels, strict=True)
        ):
            at = min(nearest_index(fine, level) + round(share * 1000), len(fine) - 1)
            wanted = fine[at].mix(x0, edit.noise(x0, "map", i)) if i < len(levels) - 1 else x0
            assert torch.allclose(z, wanted)
            assert fine[at].noise <= level.noise + 1e-6


def test_one_step_is_the_published_line() -> None:
    model = network()
    edit = given(steps=2, strength=0.5, emphasis=1.5)
    here, there = model.levels(2)[-2:]
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
