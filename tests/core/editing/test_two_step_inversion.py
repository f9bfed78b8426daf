"""Two-step paths: both ways are one rule, and an edit takes over both first latents."""

from types import ModuleType
from typing import Any

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.editing.two_step_inversion import LevelTriple, two_step_invert
from core.inverters import bdia, belm
from tests.core.inverting import drained

AROUND = LevelTriple(Level(0.6, 0.8, 600.0), Level(0.8, 0.6, 400.0), Level(0.96, 0.28, 100.0))

rules = pytest.mark.parametrize("rule", [bdia, belm], ids=["bdia", "belm"])


def random(seed: int) -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)).double()


@rules
def test_up_undoes_down(rule: ModuleType) -> None:
    noisier, z = random(0), random(1)
    seen = Prediction(random(2), random(3))
    cleaner = rule.step_down(noisier, z, seen, AROUND)
    assert torch.allclose(rule.step_up(cleaner, z, seen, AROUND), noisier, atol=1e-12)


@rules
def test_a_straight_path_is_kept(rule: ModuleType) -> None:
    seen = Prediction(random(0), random(1))
    noisier, here, cleaner = (seen.at(level) for level in AROUND)
    assert torch.allclose(rule.step_down(noisier, here, seen, AROUND), cleaner, atol=1e-12)


LEVELS = (Level(0.4, 0.9, 800.0), *AROUND)


class _Linear:
    """A source whose network predicts 0.3 z as the noise."""

    guidance, levels = 1.0, LEVELS
    inversion_order = range(2, -1, -1)
    x0 = random(4)

    def denoiser(self, scale: float) -> Any:
        return lambda z, level, label=None: _predict(z, level, 0.3)


def _predict(z: torch.Tensor, level: Level, slope: float | torch.Tensor) -> Prediction:
    return Prediction((z - level.noise * slope * z) / level.signal, slope * z)


@rules
def test_an_edit_takes_over_both_first_latents(rule: ModuleType) -> None:
    """Its own prompt acts from the second step on, whatever it would predict at the first."""
    source: Any = _Linear()
    path = drained(two_step_invert(source, rule.step_up, rule.step_down))
    state = path.begin(2)
    first, second = (z.repeat(2, 1, 1, 1) for z in path.latents)
    slopes = torch.tensor([0.3, 0.8]).double().view(2, 1, 1, 1)
    wanted = [first, second]
    for i in range(3):
        state, seen = path.step(i, state, lambda z, at, label=None: _predict(z, at, slopes))
        if i:
            around = LevelTriple(*LEVELS[i - 1 : i + 2])
            prediction = _predict(wanted[-1], LEVELS[i], slopes)
            wanted.append(rule.step_down(wanted[-2], wanted[-1], prediction, around))
        assert torch.allclose(path.latent(state), wanted[-1], atol=1e-12)
    assert torch.allclose(path.latent(state)[:1], source.x0, atol=1e-10)
    assert not torch.allclose(path.latent(state)[1:], source.x0, atol=1e-2)


def test_belm_is_its_formula() -> None:
    """The published line, written out with a = signal, s = noise, and s / a as the time."""
    noisier, z, eps = random(0), random(1), random(3)
    tau = [level.noise / level.signal for level in AROUND]
    d1, d2, d3 = tau[1] - tau[0], tau[2] - tau[1], tau[2] - tau[0]
    wanted = (
        d2 * d3 * 0.96 / d1 * eps
        + (d2 / d1) ** 2 * 0.96 / 0.6 * noisier
        + (d1 - d2) * d3 / d1**2 * 0.96 / 0.8 * z
    )
    found = belm.step_down(noisier, z, Prediction(random(2), eps), AROUND)
    assert torch.allclose(found, wanted, atol=1e-12)
