"""Two-step paths: both ways are one rule, and walks start plainly."""

from types import ModuleType

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.editing.two_step_inversion import LevelTriple
from core.inverters import bdia, belm

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
