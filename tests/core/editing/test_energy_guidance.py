"""Slopes of energies, and what is read from a network on the way."""

import torch

from core.diffusion.model import Level, Prediction
from core.editing.energy_guidance import FeatureRecorder, energy_gradient, shift_prediction
from tests.core.inverting import network

Z = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_slope_of_a_square() -> None:
    with torch.no_grad():
        slope = energy_gradient(lambda z: (z * z).sum(), Z)
    assert torch.allclose(slope, 2 * Z)
    assert not slope.requires_grad
    assert not Z.requires_grad


def test_the_slope_goes_through_the_network() -> None:
    model = network()
    level, denoise = model.levels(10)[4], model.denoiser("a cat")
    way = torch.randn(Z.shape, generator=torch.Generator().manual_seed(1))

    def energy(z: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = denoise(z, level).eps.square().mean()
        return found

    rise = float(energy(Z + 1e-2 * way) - energy(Z - 1e-2 * way)) / 2e-2
    assert abs(rise - float((energy_gradient(energy, Z) * way).sum())) < 0.05 * abs(rise)


def test_more_noise_is_less_content_of_the_same_latent() -> None:
    level = Level(0.6, 0.8, 0.0)
    seen = Prediction(Z, Z.flip(1))
    found = shift_prediction(seen, level, torch.ones_like(Z))
    assert torch.allclose(level.mix(*found), level.mix(*seen), atol=1e-6)
    assert torch.allclose(found.eps, seen.eps + 1)


def test_the_last_up_block_is_tapped() -> None:
    model, tap = network(), FeatureRecorder()
    named: list[tuple[str, torch.Tensor]] = []
    with model.features(tap), model.features(lambda *seen: named.append(seen)):
        model.denoiser("a cat")(Z, model.levels(10)[4])
    blocks = [output for name, output in named if name == "up_blocks.2"]
    assert tap.output is not None
    assert torch.equal(tap.output, blocks[-1])
    assert named[-1][0] == "up_blocks.2"
