"""Self-guidance: what is measured of a look, and what the energy does to it."""

from typing import Any

import numpy as np
import pytest
import torch

from core.editing.attention_maps import AttentionRecorder
from core.editing.energy_guidance import FeatureRecorder, energy_gradient
from core.editing.inversion import Branches
from core.editing.prompt_edit import PromptEdit
from core.errors import TechniqueError
from core.techniques.self_guidance import (
    SelfGuidance,
    _Wish,
    appearance,
    centroid,
    limit_norm,
    shape,
)
from tests.core.inverting import kept, network, result, task

CAT: dict[str, Any] = {"prompt": "a cat on a house", "thing": "cat"}


def wish_of(**changes: Any) -> Any:
    model = network()
    given = task(SelfGuidance, **{**CAT, "source_prompt": "a cat on a house", **changes})
    return _Wish(PromptEdit(given, model), given.params)


def blob(x: float, y: float, size: float = 0.1) -> torch.Tensor:
    across = (torch.arange(8) + 0.5) / 8
    return torch.exp(-((across[None] - x) ** 2 + (across[:, None] - y) ** 2) / size**2)


def maps_of(wish: Any, thing: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Maps in which the thing has one shape in the source, another in the edit."""
    maps = torch.full((4, 64, 16), 0.05)
    maps[0, :, wish.thing[0][0]] = source.flatten()
    maps[1, :, wish.thing[1][0]] = thing.flatten()
    return maps


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(SelfGuidance, strength=0.0, **CAT)
    calls = model.calls
    assert np.array_equal(result(SelfGuidance, model, given), kept(model, given))
    assert model.calls == calls


def test_no_thing_and_no_weight_are_the_plain_edit() -> None:
    model = network()
    none = result(SelfGuidance, model, task(SelfGuidance, **{**CAT, "thing": " "}, right=0.3))
    light = result(SelfGuidance, model, task(SelfGuidance, **CAT, right=0.3, weight=0.0))
    heavy = result(SelfGuidance, model, task(SelfGuidance, **CAT, right=0.3))
    assert np.array_equal(none, light)
    assert not np.allclose(none, heavy, atol=1e-3)


def test_a_thing_left_where_it_is_is_the_plain_edit() -> None:
    """On a path whose branches see the same, the source's measures are met from the start."""
    model = network()
    plain, held = (
        result(SelfGuidance, model, task(SelfGuidance, **CAT, inverter="ddim", weight=weight))
        for weight in (0.0, 100.0)
    )
    assert np.allclose(plain, held, atol=1e-2)


def test_a_thing_that_is_not_named_is_an_error() -> None:
    with pytest.raises(TechniqueError, match="'dog' is not a word"):
        wish_of(thing="dog")


def test_the_other_words_are_those_both_prompts_share() -> None:
    wish = wish_of(source_prompt="a red cat on a house")
    assert wish.thing == ([3], [2])
    assert ([4], [3]) in wish.others
    assert ([3], [2]) not in wish.others
    assert all(here > 0 for _, (here,) in wish.others)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 5), (7, 7)])
def test_the_centre_of_one_cell_is_that_cell(row: int, column: int) -> None:
    look = torch.zeros(8, 8)
    look[row, column] = 0.3
    assert centroid(look).tolist() == pytest.approx([(column + 0.5) / 8, (row + 0.5) / 8])


def test_a_shape_is_the_upper_half_of_a_look() -> None:
    found = shape(torch.tensor([[0.1, 0.2, 0.3], [0.1, 0.1, 0.3]]))
    assert found[0, 1] == pytest.approx(0.5)
    assert found[0, 2] > 0.99
    assert found[0, 0] < 0.01


def test_the_appearance_of_flat_features_is_their_value() -> None:
    features = torch.tensor([1.0, -2.0, 3.0])[:, None, None].expand(3, 16, 16)
    assert torch.allclose(appearance(blob(0.3, 0.6), features), torch.tensor([1.0, -2.0, 3.0]))


def test_the_energy_is_least_where_the_thing_shall_be() -> None:
    wish, here = wish_of(right=0.25, down=0.125), blob(0.4, 0.4)
    found = [
        float(wish.energy(maps_of(wish, blob(x, y), here), None))
        for x, y in ((0.65, 0.525), (0.4, 0.4), (0.2, 0.3))
    ]
    assert found == sorted(found)
    assert found[0] < 0.03


@pytest.mark.parametrize(("size", "wanted"), [(1.0, 0.15), (2.0, 0.22), (0.5, 0.1)])
def test_the_energy_is_least_at_the_size_asked_for(size: float, wanted: float) -> None:
    wish, source = wish_of(size=size), blob(0.5, 0.5, 0.15)
    found = {}
    for tried in (0.1, 0.15, 0.22, 0.4):
        look = blob(0.5, 0.5, tried)
        as_present = look * source.mean() / look.mean()
        found[tried] = float(wish.energy(maps_of(wish, as_present, source), None))
    assert min(found, key=found.__getitem__) == wanted


def test_more_presence_asks_for_a_stronger_look() -> None:
    wish, here = wish_of(presence=2.0), blob(0.5, 0.5)
    once, twice = (float(wish.energy(maps_of(wish, k * here, here), None)) for k in (1.0, 2.0))
    assert twice < 0.05 < once


def test_the_slope_moves_the_centre_towards_the_wish() -> None:
    wish, z = wish_of(right=0.4, kept=0.0), torch.full((8, 8), 0.1) + blob(0.3, 0.5)

    def energy(look: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = wish.energy(maps_of(wish, look, z), None)
        return found

    moved = z - 1e-2 * energy_gradient(energy, z)
    assert centroid(moved)[0] > centroid(z)[0]


def test_a_push_is_no_longer_than_the_noise() -> None:
    eps = torch.ones(2, 1, 2, 2)
    change = torch.stack([torch.full((1, 2, 2), 0.5), torch.full((1, 2, 2), 7.0)])
    assert torch.allclose(limit_norm(change, eps), torch.stack([change[0], eps[0]]))
    assert not limit_norm(torch.zeros_like(eps), eps).any()


def test_the_edit_alone_is_pushed_and_down_its_energy() -> None:
    wish = wish_of(right=0.5, weight=1e9)
    model = wish.edit.model
    words = model.embed(["a cat on a house"] * 2)
    level, denoise = model.levels(10)[4], Branches(model, words, (2.0, 2.0), model.embed([""]))
    z = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    calls = model.calls
    found = wish.push(denoise)(z, level)
    assert model.calls - calls == 1
    plain = denoise(z, level)
    change = found.eps - plain.eps
    assert not change[0].abs().max() > 1e-5
    assert float(change[1].norm() / plain.eps[1].norm()) == pytest.approx(1, rel=1e-3)
    assert torch.allclose(level.mix(*found), z, atol=1e-4)
    assert not found.eps.requires_grad
    little = 1e-2 * change / change.norm() * z[1].norm()
    assert energy_at(wish, words, z - little, level) < energy_at(wish, words, z, level)


def energy_at(wish: Any, words: Any, z: torch.Tensor, level: Any) -> float:
    record, tap = AttentionRecorder(cells=wish.cells), FeatureRecorder()
    with wish.edit.model.attention(record), wish.edit.model.features(tap):
        wish.edit.model.denoiser(words)(z, level)
    return float(wish.energy(record.mean(), tap.output))
