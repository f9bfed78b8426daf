"""Guide-and-Rescale: the rescaling, the energy, and edits that change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion import Level
from core.inversion import Branches
from core.techniques.guide_and_rescale import (
    LEAST,
    MOST,
    GuideAndRescale,
    Shown,
    _guided,
    rescaled,
    scales_of,
    unlikeness,
)
from tests.core.inverting import kept, network, result, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}
Z = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def edit_of(guidance: float = 3.0) -> Any:
    """What a guide sees of an edit."""

    class Edit:
        model = network()
        words = model.embed(["a cat", "a dog"])
        branches = Branches(model, words, (1.0, guidance), model.embed([""]))

    return Edit()


def looked(edit: Any, z: torch.Tensor, level: Level) -> Shown:
    """What a latent shows with the source's words."""
    shown = Shown()
    with shown.kept(edit.model):
        edit.model.denoiser("a cat")(z, level)
    return shown


def energy_of(edit: Any, weights: tuple[float, float], z: torch.Tensor) -> torch.Tensor:
    """The energy of the second row of z, held to the first."""
    level = network().levels(10)[4]
    return unlikeness(looked(edit, z[1:], level), looked(edit, z[:1], level), weights)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(GuideAndRescale, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(GuideAndRescale, model, given), kept(model, given))
    assert model.calls == calls


def test_the_same_words_are_plain_guidance() -> None:
    model = network()
    held, free = (
        result(GuideAndRescale, model, task(GuideAndRescale, held=share, inverter="ddim", **SAME))
        for share in (1.0, 0.0)
    )
    assert np.allclose(held, free, atol=1e-4)


def test_no_weight_is_plain_guidance() -> None:
    model = network()
    none = result(GuideAndRescale, model, task(GuideAndRescale, layout=0.0, features=0.0, **OTHER))
    free = result(GuideAndRescale, model, task(GuideAndRescale, held=0.0, **OTHER))
    assert np.array_equal(none, free)


@pytest.mark.parametrize("part", ["layout", "features"])
def test_each_part_of_the_energy_changes_the_edit(part: str) -> None:
    model = network()
    other = {"layout": "features", "features": "layout"}[part]
    alone: dict[str, Any] = {other: 0.0}
    held = result(GuideAndRescale, model, task(GuideAndRescale, **alone, **OTHER))
    free = result(GuideAndRescale, model, task(GuideAndRescale, held=0.0, **OTHER))
    assert not np.allclose(held, free, atol=1e-3)


@pytest.mark.parametrize(
    ("size", "wanted"), [(0.1, LEAST), (0.33, 0.33), (1, 1), (3, 3), (9, MOST)]
)
def test_the_slope_is_brought_into_range(size: float, wanted: float) -> None:
    push = 5 * Z[:1] / Z[:1].norm()
    slope = size * push.flip(1)
    assert float(rescaled(slope, push).norm() / 5) == pytest.approx(wanted, rel=1e-4)
    assert torch.allclose(rescaled(slope, push) / wanted, slope / size, atol=1e-5)


def test_without_slope_or_push_nothing_is_scaled() -> None:
    nothing = torch.zeros_like(Z)
    assert torch.equal(rescaled(nothing, Z), nothing)
    assert torch.equal(rescaled(Z, nothing), Z)


def test_the_energy_is_nought_for_equal_latents_only() -> None:
    edit = edit_of()
    assert float(energy_of(edit, (3e5, 500.0), Z[:1].repeat(2, 1, 1, 1))) < 1e-2
    assert float(energy_of(edit, (3e5, 500.0), Z)) > 1


def test_the_energy_is_of_self_attention_under_the_sources_words() -> None:
    edit, level = edit_of(), network().levels(10)[4]
    seen: list[torch.Tensor] = []

    class Watch:
        def __call__(self, place: Any, q: Any, k: Any, v: Any) -> Any:
            return q, k, v

        def maps(self, place: Any, maps: torch.Tensor) -> torch.Tensor:
            if not place.is_cross:
                seen.append(maps)
            return maps

    with edit.model.attention(Watch()):
        edit.model.denoiser(edit.model.embed(["a cat", "a cat"]))(Z, level)
    wanted = torch.stack([(maps[0] - maps[1]).square().mean() for maps in seen]).sum()
    assert torch.allclose(energy_of(edit, (1e3, 0.0), Z) / 1e3, wanted, rtol=1e-3)


def test_unlikeness_of_maps_and_features() -> None:
    """Rows of what is wanted beside the first, the edit's own, do not count."""
    wanted, found = Shown(), Shown()
    wanted.record.seen = [torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)])] * 2
    found.record.seen = [torch.full((1, 3, 4, 4), 2.0)] * 2
    assert unlikeness(found, wanted, (2.0, 10.0)) == 16
    wanted.tap.seen, found.tap.seen = torch.zeros(2, 5, 2, 2), torch.full((1, 5, 2, 2), -3.0)
    assert unlikeness(found, wanted, (1.0, 10.0)) == 8 + 30


def test_the_source_is_guided_only_where_nothing_is_asked() -> None:
    params = GuideAndRescale.Params
    assert scales_of(params(prompt="a dog", source_prompt="a cat", guidance=7.5)) == [1.0, 7.5]
    assert scales_of(params(prompt="a cat", source_prompt="a cat", guidance=7.5)) == [7.5, 7.5]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_only_the_edit_goes_down_the_energy(guidance: float) -> None:
    edit, level = edit_of(guidance), network().levels(10)[4]
    weights = (3e5, 500.0)
    plain = edit.branches(Z, level)
    found = _guided(edit, weights)(Z, level)
    assert torch.allclose(found.eps[0], plain.eps[0], atol=1e-5)
    change = found.eps[1:] - plain.eps[1:]
    against = edit.model.denoiser("")(Z[1:], level).eps if guidance > 1 else 0
    ratio = float(change.norm() / (plain.eps[1:] - against).norm())
    assert 0.99 * LEAST <= ratio <= 1.01 * MOST
    assert torch.allclose(level.mix(found.x0, found.eps), Z, atol=1e-4)
    little = 1e-2 * change / change.norm() * Z[1:].norm()
    moved = torch.cat([Z[:1], Z[1:] - little])
    assert energy_of(edit, weights, moved) < energy_of(edit, weights, Z)
