"""Guide-and-Rescale: the rescaling, the energy, and edits that change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionLayer, IdleControl
from core.diffusion.model import Level
from core.editing.energy_guidance import FeatureRecorder, energy_gradient
from core.editing.inversion import Branches
from core.techniques.guide_and_rescale import (
    GUIDERS,
    GuidanceFeatures,
    GuideAndRescale,
    Guider,
    _Guided,
    rescale_gradient,
    scales_of,
    unlikeness,
)
from tests.core.inverting import kept, network, result, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}
Z = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def branches_of(guidance: float = 3.0) -> Branches:
    """What a guide is given of an edit."""
    model = network()
    return Branches(model, model.embed(["a cat", "a dog"]), (1.0, guidance), model.embed([""]))


LAYOUT = GUIDERS["layout"]


def features_of(
    branches: Branches, z: torch.Tensor, level: Level, guider: Guider
) -> GuidanceFeatures:
    """What a latent shows with the source's words."""
    shown = GuidanceFeatures(guider)
    with shown.record(branches.model):
        branches.model.denoiser("a cat")(z, level)
    return shown


def energy_of(branches: Branches, guider: Guider, z: torch.Tensor) -> torch.Tensor:
    """The energy of the second row of z, held to the first."""
    level = network().levels(10)[4]
    source, edited = (features_of(branches, row, level, guider) for row in (z[:1], z[1:]))
    return unlikeness(edited, source, guider)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(GuideAndRescale, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(GuideAndRescale, model, given), kept(model, given))
    assert model.calls == calls


@pytest.mark.parametrize("change", GUIDERS)
def test_the_same_words_are_plain_guidance(change: str) -> None:
    model, given = network(), {"inverter": "ddim", "change": change, **SAME}
    held, free = (
        result(GuideAndRescale, model, task(GuideAndRescale, held=share, **given))
        for share in (1.0, 0.0)
    )
    assert np.allclose(held, free, atol=1e-4)


def test_no_weight_is_plain_guidance() -> None:
    model = network()
    none = result(GuideAndRescale, model, task(GuideAndRescale, layout=0.0, features=0.0, **OTHER))
    free = result(GuideAndRescale, model, task(GuideAndRescale, held=0.0, **OTHER))
    assert np.array_equal(none, free)


@pytest.mark.parametrize(("change", "wanted"), [("layout", 500 * 2.0), ("style", 2.5 * 5.0)])
def test_style_squares_the_difference_of_features(change: str, wanted: float) -> None:
    """Differences of 1 and 3: the mean of their sizes is 2, that of their squares 5."""
    found, kept_maps = (GuidanceFeatures(GUIDERS[change]) for _ in range(2))
    for features in (found, kept_maps):
        features.recorder.collected = [torch.zeros(1, 2, 4, 4)]
    found.tap.output = torch.tensor([1.0, -3.0]).view(1, 2, 1, 1)
    kept_maps.tap.output = torch.zeros(1, 2, 1, 1)
    assert float(unlikeness(found, kept_maps, GUIDERS[change])) == pytest.approx(wanted)


@pytest.mark.parametrize("change", GUIDERS)
@pytest.mark.parametrize("part", ["layout", "features"])
def test_each_part_of_the_energy_changes_the_edit(part: str, change: str) -> None:
    model = network()
    other = {"layout": "features", "features": "layout"}[part]
    alone: dict[str, Any] = {other: 0.0, "change": change}
    held = result(GuideAndRescale, model, task(GuideAndRescale, **alone, **OTHER))
    free = result(GuideAndRescale, model, task(GuideAndRescale, held=0.0, **OTHER))
    assert not np.allclose(held, free, atol=1e-3)


@pytest.mark.parametrize(("size", "wanted"), [(0.1, 0.33), (0.33, 0.33), (1, 1), (3, 3), (9, 3)])
def test_the_slope_is_brought_into_range(size: float, wanted: float) -> None:
    push = 5 * Z[:1] / Z[:1].norm()
    slope = size * push.flip(1)
    assert float(rescale_gradient(slope, push, LAYOUT).norm() / 5) == pytest.approx(
        wanted, rel=1e-4
    )
    assert torch.allclose(rescale_gradient(slope, push, LAYOUT) / wanted, slope / size, atol=1e-5)


def test_without_slope_or_push_nothing_is_scaled() -> None:
    nothing = torch.zeros_like(Z)
    assert torch.equal(rescale_gradient(nothing, Z, LAYOUT), nothing)
    assert torch.equal(rescale_gradient(Z, nothing, LAYOUT), Z)


def test_the_energy_is_nought_for_equal_latents_only() -> None:
    branches = branches_of()
    assert float(energy_of(branches, LAYOUT, Z[:1].repeat(2, 1, 1, 1))) < 1e-2
    assert float(energy_of(branches, LAYOUT, Z)) > 1


def test_the_energy_is_of_self_attention_under_the_sources_words() -> None:
    branches, level = branches_of(), network().levels(10)[4]
    seen: list[torch.Tensor] = []

    class Watch(IdleControl):
        def maps(self, place: AttentionLayer, maps: torch.Tensor) -> torch.Tensor:
            if not place.is_cross:
                seen.append(maps)
            return maps

    with branches.model.attention(Watch()):
        branches.model.denoiser(branches.model.embed(["a cat", "a cat"]))(Z, level)
    wanted = torch.stack([(maps[0] - maps[1]).square().mean() for maps in seen]).sum()
    assert torch.allclose(energy_of(branches, Guider(1e3, 0.0, 1, 1), Z) / 1e3, wanted, rtol=1e-3)


def test_unlikeness_of_maps_and_features() -> None:
    """Rows of what is wanted beside the first, the edit's own, do not count."""
    wanted, found = GuidanceFeatures(LAYOUT), GuidanceFeatures(LAYOUT)
    wanted.recorder.collected = [torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)])] * 2
    found.recorder.collected = [torch.full((1, 3, 4, 4), 2.0)] * 2
    assert unlikeness(found, wanted, Guider(2.0, 10.0, 1, 1)) == 16
    wanted.tap.output, found.tap.output = torch.zeros(2, 5, 2, 2), torch.full((1, 5, 2, 2), -3.0)
    assert unlikeness(found, wanted, Guider(1.0, 10.0, 1, 1)) == 8 + 30


def test_the_source_is_guided_only_where_nothing_is_asked() -> None:
    params = GuideAndRescale.Params
    assert scales_of(params(prompt="a dog", source_prompt="a cat", guidance=7.5)) == [1.0, 7.5]
    assert scales_of(params(prompt="a cat", source_prompt="a cat", guidance=7.5)) == [7.5, 7.5]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_only_the_edit_goes_down_the_energy(guidance: float) -> None:
    branches, level = branches_of(guidance), network().levels(10)[4]
    plain = branches(Z, level)
    found = _Guided(branches, LAYOUT)(Z, level)
    assert torch.allclose(found.eps[0], plain.eps[0], atol=1e-5)
    change = found.eps[1:] - plain.eps[1:]
    against = branches.model.denoiser("")(Z[1:], level).eps if guidance > 1 else 0
    ratio = float(change.norm() / (plain.eps[1:] - against).norm())
    assert 0.99 * 0.33 <= ratio <= 1.01 * 3
    assert torch.allclose(level.mix(found.x0, found.eps), Z, atol=1e-4)
    little = 1e-2 * change / change.norm() * Z[1:].norm()
    moved = torch.cat([Z[:1], Z[1:] - little])
    assert energy_of(branches, LAYOUT, moved) < energy_of(branches, LAYOUT, Z)


def test_a_style_is_guided_by_half_as_much_again_as_the_prompt() -> None:
    """Both bounds are one, so the slope is as long in every step; features are the target's."""
    branches, level = branches_of(), network().levels(10)[4]
    plain = branches(Z, level)
    found = _Guided(branches, GUIDERS["style"])(Z, level)
    push = plain.eps[1:] - branches.model.denoiser("")(Z[1:], level).eps
    change = found.eps[1:] - plain.eps[1:]
    assert float(change.norm() / push.norm()) == pytest.approx(1.5, rel=1e-3)


def test_the_styles_features_are_seen_with_the_new_words() -> None:
    """With the weight on features alone: the slope of a difference computed here."""
    branches, level = branches_of(), network().levels(10)[4]
    guider = GUIDERS["style"]._replace(layout=0.0, features=1.0, least=0.0, most=1e9)

    def seen(prompt: str, z: torch.Tensor) -> torch.Tensor:
        tap = FeatureRecorder(guider.block)
        with branches.model.features(tap):
            branches.model.denoiser(prompt)(z, level)
        assert tap.output is not None
        return tap.output

    kept = seen("a cat", Z[:1])
    slope = energy_gradient(lambda z: (seen("a dog", z) - kept).square().mean(), Z[1:])
    found, plain = _Guided(branches, guider)(Z, level), branches(Z, level)
    assert torch.allclose(
        found.eps[1:] - plain.eps[1:], slope, atol=1e-2 * float(slope.abs().max())
    )
