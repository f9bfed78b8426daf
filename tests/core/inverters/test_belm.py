"""O-BELM: exact both ways, and of second order over uneven steps."""

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.editing.two_step_inversion import LevelTriple
from core.inverters import belm
from core.inverters.belm import Belm
from tests.core.inverting import error, inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_source_comes_back(guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, guidance)
    path, _ = inverted(Belm, given)
    assert error(replayed(path, given), x0) < 1e-4


def test_a_bent_path_is_followed_over_uneven_steps() -> None:
    """z / signal as a parabola in noise / signal, whose slope is the predicted noise."""
    around = LevelTriple(Level(0.5, 0.8, 600.0), Level(0.8, 0.6, 400.0), Level(0.95, 0.2, 100.0))
    generator = torch.Generator().manual_seed(0)
    offset, slope, bend = torch.randn(3, 1, 4, 8, 8, generator=generator).double()

    def latent(level: Level) -> torch.Tensor:
        at = level.noise / level.signal
        bent: torch.Tensor = level.signal * (offset + slope * at + bend * at**2 / 2)
        return bent

    noisier, here, cleaner = (latent(level) for level in around)
    eps = slope + bend * around.here.noise / around.here.signal
    found = belm.step_down(noisier, here, Prediction(here, eps), around)
    assert torch.allclose(found, cleaner, atol=1e-10)


def test_the_last_level_may_be_clean(x0: torch.Tensor) -> None:
    around = LevelTriple(Level(0.6, 0.8, 600.0), Level(0.8, 0.6, 400.0), Level(1.0, 0.0, 0.0))
    prediction = Prediction(x0, x0.flip(-1))
    noisier, here, cleaner = (prediction.at(level) for level in around)
    assert torch.allclose(belm.step_down(noisier, here, prediction, around), cleaner, atol=1e-5)
