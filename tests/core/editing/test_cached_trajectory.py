"""Cached paths of layered brushes, on an analytic denoiser and on a random network."""

import math
from collections.abc import Generator
from typing import Any

import pytest
import torch
from torch import Tensor

from core.diffusion.model import Denoise, Level, Levels, Prediction
from core.editing.cached_trajectory import LayerLatent, Trajectory, merge_layers

STEPS = 20
SHAPE = (1, 4, 16, 16)


def _levels(steps: int = STEPS) -> Levels:
    """Stable Diffusion's schedule, leading spacing, ending at its first training level."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, 0)
    times = [1 + i * (1000 // steps) for i in reversed(range(steps))]
    found = [(float(kept[t]), float(t)) for t in times] + [(float(kept[0]), 0.0)]
    return tuple(Level(math.sqrt(a), math.sqrt(1 - a), t) for a, t in found)


LEVELS = _levels()


def _draw(seed: int, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def gaussian(mean: float, spread: float = 0.5) -> Denoise:
    """The exact denoiser of independent values, normal around mean."""

    def denoise(z: Tensor, level: Level, label: Level | None = None) -> Prediction:
        told = label or level
        gain = told.signal * spread**2 / (told.signal**2 * spread**2 + told.noise**2)
        x0 = mean + gain * (z - told.signal * mean)
        eps = (z - told.signal * x0) / told.noise
        return Prediction((z - level.noise * eps) / level.signal, eps)

    return denoise


class Network:
    """A random convolution that sees its neighbours, and counts its calls."""

    def __init__(self, prompt: int) -> None:
        self.calls = 0
        torch.manual_seed(prompt)
        self._inner = torch.nn.Conv2d(5, 16, 5, padding=2).requires_grad_(False)
        self._outer = torch.nn.Conv2d(16, 4, 5, padding=2).requires_grad_(False)

    def __call__(self, z: Tensor, level: Level, label: Level | None = None) -> Prediction:
        self.calls += 1
        told = torch.full_like(z[:, :1], (label or level).noise)
        eps: Tensor = self._outer(torch.tanh(self._inner(torch.cat([z, told], 1))))
        return Prediction((z - level.noise * eps) / level.signal, eps)


def walked(walk: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(walk)
        except StopIteration as end:
            return end.value


def _mask(left: int, right: int) -> Tensor:
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, left:right] = 1
    return mask


def _prepared(kind: str, denoise: Denoise, start: int = 6, first: int = 18) -> Trajectory:
    x0 = 0.7 * _draw(1)
    if kind == "inversion":
        path = Trajectory.from_inversion(LEVELS, x0)
        walked(path.invert(denoise, start))
    else:
        path = Trajectory.from_noise(LEVELS, x0, _draw(2))
    walked(path.replay(denoise, first))
    return path


both = pytest.mark.parametrize("kind", ["noise", "inversion"])


def test_inversion_and_replay_agree_to_first_order() -> None:
    """The drift of a round trip is about 1/N (measured 8.6e-2 at 20 steps, 1.2e-2 at 200)."""
    drift = {}
    for steps in (20, 40, 80):
        levels, x0 = _levels(steps), 0.5 * _draw(1)
        path = Trajectory.from_inversion(levels, x0)
        walked(path.invert(gaussian(0.3), 0))
        z = path.latents[0]
        for i in range(steps):
            z = gaussian(0.3)(z, levels[i]).at(levels[i + 1])
        drift[steps] = float((z - x0).norm() / x0.norm())
    assert 1.6 < drift[20] / drift[40] < 2.6
    assert 1.6 < drift[40] / drift[80] < 2.6
    assert drift[20] < 0.3


def test_inversion_tells_the_network_the_level_it_goes_to() -> None:
    told: list[tuple[Level, Level | None]] = []

    def denoise(z: Tensor, level: Level, label: Level | None = None) -> Prediction:
        told.append((level, label))
        return gaussian(0.0)(z, level, label)

    walked(Trajectory.from_inversion(LEVELS, _draw(1)).invert(denoise, 15))
    assert told == [(LEVELS[i + 1], LEVELS[i]) for i in range(STEPS - 1, 14, -1)]


def test_climbing_further_changes_nothing_below() -> None:
    network = Network(0)
    short, long = (Trajectory.from_inversion(LEVELS, _draw(1)) for _ in range(2))
    walked(short.invert(network, 12))
    assert network.calls == STEPS - 12
    walked(short.invert(network, 5))
    assert network.calls == STEPS - 5
    walked(long.invert(network, 5))
    assert all(torch.equal(short.latents[i], long.latents[i]) for i in range(5, STEPS + 1))


@both
def test_every_latent_is_its_clean_content_and_noise_at_its_level(kind: str) -> None:
    path = _prepared(kind, gaussian(0.0))
    for i in range(6, 18):
        x0 = (path.latents[i] - LEVELS[i].noise * path.eps[i]) / LEVELS[i].signal
        again = LEVELS[i].mix(x0, path.eps[i])
        torch.testing.assert_close(again, path.latents[i])


@both
def test_no_strength_and_no_mask_leave_the_cached_latent(kind: str) -> None:
    path = _prepared(kind, Network(0))
    zero = torch.zeros(1, 1, 16, 16)
    assert torch.equal(path.exchange_noise(8, _draw(3), zero), path.latents[8])
    half = path.exchange_noise(8, _draw(3), _mask(4, 8))
    outside = (_mask(4, 8) == 0).expand(SHAPE)
    assert torch.equal(half[outside], path.latents[8][outside])


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.95, 1.0])
def test_mixing_keeps_the_variance_of_the_noise(share: float) -> None:
    shape = (1, 4, 128, 128)
    path = Trajectory.from_noise(LEVELS, torch.zeros(shape), _draw(5, shape))
    mixed = path.exchange_noise(8, _draw(6, shape), torch.full((1, 1, 1, 1), share))
    assert float(mixed.std() / LEVELS[8].noise) == pytest.approx(1, abs=0.02)


@both
def test_no_strength_with_the_base_prompt_is_the_picture_bit_for_bit(kind: str) -> None:
    network, mask = Network(0), _mask(4, 10)
    path = _prepared(kind, network, first=6)
    layer = walked(path.regenerate(network, path.latents[6], range(6, 18), mask, freedom=0))
    assert torch.equal(layer, path.latents[18])
    merged = merge_layers(path.latents[18], [LayerLatent(mask, layer)])
    end = walked(path.finish(network, merged, 18, 0 * mask))
    assert torch.equal(end, path.latents[STEPS])


def _stroke(path: Trajectory, mask: Tensor, seed: int, prompt: int = 7) -> LayerLatent:
    z = path.exchange_noise(6, _draw(seed), mask)
    return LayerLatent(mask, walked(path.regenerate(Network(prompt), z, range(6, 18), mask)))


@both
def test_an_empty_mask_is_the_picture_bit_for_bit(kind: str) -> None:
    network = Network(0)
    path, nothing = _prepared(kind, network), torch.zeros(1, 1, 16, 16)
    layer = _stroke(path, nothing, 3)
    merged = merge_layers(path.latents[18], [layer])
    assert torch.equal(walked(path.finish(network, merged, 18, nothing)), path.latents[STEPS])


@both
def test_the_order_of_disjoint_layers_does_not_matter(kind: str) -> None:
    path = _prepared(kind, Network(0))
    one, two = _stroke(path, _mask(2, 7), 3), _stroke(path, _mask(9, 14), 4)
    base = path.latents[18]
    assert torch.equal(merge_layers(base, [one, two]), merge_layers(base, [two, one]))
    assert not torch.equal(merge_layers(base, [one, two]), merge_layers(base, [one]))


@both
def test_hiding_and_showing_a_layer_restores_the_merged_latent(kind: str) -> None:
    path = _prepared(kind, Network(0))
    one, two = _stroke(path, _mask(2, 9), 3), _stroke(path, 0.6 * _mask(6, 14), 4)
    before = merge_layers(path.latents[18], [one, two])
    hidden = merge_layers(path.latents[18], [two])
    assert not torch.equal(hidden, before)
    assert torch.equal(merge_layers(path.latents[18], [one, two]), before)


@both
def test_editing_one_layer_leaves_the_path_and_the_other_layer_alone(kind: str) -> None:
    path = _prepared(kind, Network(0))
    one = _stroke(path, _mask(2, 9), 3)
    kept = {**path.latents, -1: one.latent}
    copies = {i: latent.clone() for i, latent in kept.items()}
    _stroke(path, _mask(6, 14), 4)
    _stroke(path, _mask(6, 14), 5)
    assert all(torch.equal(kept[i], copies[i]) for i in copies)
    assert torch.equal(_stroke(path, _mask(2, 9), 3).latent, one.latent)


@both
def test_another_seed_differs_at_the_merge_inside_the_mask_only(kind: str) -> None:
    path, mask = _prepared(kind, Network(0)), _mask(4, 10)
    one, same, other = (_stroke(path, mask, seed).latent for seed in (3, 3, 4))
    assert torch.equal(one, same)
    inside = (mask > 0).expand(SHAPE)
    assert torch.equal(one[~inside], other[~inside])
    assert (one[inside] != other[inside]).float().mean() > 0.9


def _drift(path: Trajectory, denoise: Denoise, mask: Tensor, freedom: Tensor) -> float:
    layer = _stroke_with(path, gaussian(2.0), mask)
    merged = merge_layers(path.latents[18], [layer])
    end = walked(path.finish(denoise, merged, 18, freedom))
    outside = (mask == 0).expand(SHAPE)
    change = (end - path.latents[STEPS])[outside]
    return float(change.norm() / path.latents[STEPS][outside].norm())


def _stroke_with(path: Trajectory, denoise: Denoise, mask: Tensor) -> LayerLatent:
    z = path.exchange_noise(6, _draw(9), mask)
    return LayerLatent(mask, walked(path.regenerate(denoise, z, range(6, 18), mask)))


@both
def test_stored_offsets_stop_the_drift_outside_the_mask(kind: str) -> None:
    """Check C of the reference: without offsets the tail drifts, with them by 0.0000."""
    base, mask = gaussian(0.3), _mask(4, 10)
    path = _prepared(kind, base)
    assert _drift(path, base, mask, torch.ones(1, 1, 16, 16)) > 0.01
    assert _drift(path, base, mask, mask) < 5e-5


@both
def test_more_strength_moves_further_from_the_picture(kind: str) -> None:
    base = gaussian(0.3)
    path = _prepared(kind, base, first=6)
    mask = _mask(4, 12)
    moved = []
    for strength in (0.0, 0.25, 0.5, 0.75, 1.0):
        change = 0.0
        for seed in range(5):
            z = path.exchange_noise(6, _draw(20 + seed), strength * mask)
            z = walked(path.regenerate(base, z, range(6, 18), mask, strength))
            change += float((z - path.latents[18]).norm())
        moved.append(change)
    assert moved[0] < 1e-4
    assert all(more > less for less, more in zip(moved, moved[1:], strict=False))
