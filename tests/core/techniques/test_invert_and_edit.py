"""Invert and edit: the same words and guidance change nothing, whatever is exact."""

from typing import Any

import numpy as np
import pytest

from core.params import fields
from core.techniques.invert_and_edit import InvertAndEdit
from tests.core.inverting import kept, network, result, task

SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}
OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
EXACT = ["edit-friendly", "cyclediffusion", "edict", "bdia", "belm"]


@pytest.mark.parametrize("inverter", EXACT)
@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_same_words_and_guidance_give_the_picture(inverter: str, guidance: float) -> None:
    model = network()
    scales: dict[str, Any] = {"guidance": guidance, "source_guidance": guidance}
    given = task(InvertAndEdit, inverter=inverter, strength=1.0, **SAME, **scales)
    assert abs(result(InvertAndEdit, model, given) - kept(model, given)).max() < 1e-3


def test_the_way_back_is_never_guided_more_than_the_edit() -> None:
    model = network()
    given = task(InvertAndEdit, guidance=2.0, source_guidance=9.0, **SAME)
    assert abs(result(InvertAndEdit, model, given) - kept(model, given)).max() < 1e-3


def test_less_guidance_on_the_way_back_stresses_the_prompt() -> None:
    model = network()
    plain, stressed = (
        result(InvertAndEdit, model, task(InvertAndEdit, source_guidance=scale, **OTHER))
        for scale in (15.0, 1.0)
    )
    assert abs(plain - stressed).max() > 1e-2


@pytest.mark.parametrize("inverter", EXACT)
def test_other_words_change_the_picture(inverter: str) -> None:
    model = network()
    given = task(InvertAndEdit, inverter=inverter, **OTHER)
    assert abs(result(InvertAndEdit, model, given) - kept(model, given)).max() > 1e-2


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(InvertAndEdit, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(InvertAndEdit, model, given), kept(model, given))
    assert model.calls == calls


def test_another_seed_is_another_edit_of_the_same_picture() -> None:
    model = network()
    one, two = (
        result(InvertAndEdit, model, task(InvertAndEdit, seed=seed, **OTHER)) for seed in (1, 2)
    )
    assert abs(one - two).max() > 1e-2


def test_outside_the_mask_the_picture_stays() -> None:
    model = network()
    given = task(InvertAndEdit, **OTHER)
    given.mask[:, 32:] = 0
    found, wanted = result(InvertAndEdit, model, given), kept(model, given)
    assert abs(found[:, 56:] - wanted[:, 56:]).max() < 1e-3
    assert abs(found[:, :32] - wanted[:, :32]).max() > 1e-2


def test_the_form_starts_like_that_of_every_edit() -> None:
    names = [field.name for field in fields(InvertAndEdit.Params)]
    assert names[:3] == ["prompt", "source_prompt", "strength"]
    assert names[-1] == "source_guidance"
