"""Noise maps: any latents wanted are walked through, and a step without noise has its map."""

import pytest
import torch

from core.diffusion.eta_step import step_mean
from core.diffusion.model import Denoise
from core.editing.inversion import Branches, select_rows
from core.editing.noise_maps import NoiseMapPath, record_noise_maps
from tests.core.inverting import error, network, source


def path_of(eta: float) -> tuple[NoiseMapPath, list[torch.Tensor], Denoise]:
    generator = torch.Generator().manual_seed(0)
    x0 = 0.7 * torch.randn(1, 16, 8, 8, generator=generator)
    given = source(network(), x0, 6, 3.0)
    wanted = [torch.randn(x0.shape, generator=generator) for _ in given.levels[1:]] + [x0]
    run = record_noise_maps(given, wanted[0], lambda i, z: wanted[i], eta)
    while True:
        try:
            next(run)
        except StopIteration as end:
            words = select_rows(given.embeddings, [0, 0])
            return end.value, wanted, Branches(given.model, words, (3.0, 3.0), given.negative)


@pytest.mark.parametrize("eta", [0.0, 0.1, 1.0])
def test_every_branch_goes_through_the_latents_wanted(eta: float) -> None:
    path, wanted, denoise = path_of(eta)
    state = path.begin(2)
    for i in range(len(path.levels) - 1):
        state, _ = path.step(i, state, denoise)
        assert error(path.latent(state), wanted[i + 1].repeat(2, 1, 1, 1)) < 1e-5


def test_without_the_last_map_the_picture_is_missed() -> None:
    path, wanted, denoise = path_of(1.0)
    seen = denoise(wanted[-2].repeat(2, 1, 1, 1), path.levels[-2])
    assert error(step_mean(seen, path.levels[-2], path.levels[-1])[:1], wanted[-1]) > 0.01
