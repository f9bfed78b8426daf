"""EDICT: exact at every guidance, and a pair that stays a pair."""

from itertools import pairwise

import pytest
import torch

from core.diffusion.model import Level, Prediction
from core.editing.inversion import Branches
from core.inverters import edict
from core.inverters.edict import CoupledPath, Edict, step, undo_step
from core.techniques.prompt_to_prompt import PromptToPrompt
from tests.core.inverting import error, inverted, kept, network, replayed, result, source, task


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_both_latents_of_the_source_come_back(guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, 10, guidance)
    path, _ = inverted(Edict, given)
    state = path.begin(1)
    for i in range(len(path.levels) - 1):
        denoise = Branches(given.model, given.embeddings, (guidance,), given.negative)
        state, _ = path.step(i, state, denoise)
    for part in state:
        assert part.dtype == torch.float64
        assert error(part, x0.double()) < 1e-9
    assert path.latent(state).dtype == torch.float32


def test_other_guidance_than_the_edits_does_not_come_back(x0: torch.Tensor) -> None:
    path, _ = inverted(Edict, source(network(), x0, 10, 1.0))
    assert error(replayed(path, source(network(), x0, 10, 7.5)), x0) > 1e-3


def test_the_pair_drifts_apart_but_not_away(x0: torch.Tensor) -> None:
    path, _ = inverted(Edict, source(network(), x0, 10, 7.5))
    x, y = path.begin(1)
    assert 0 < float((x - y).norm() / x.norm()) < 2


def test_single_precision_is_close(x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edict, "to_double_precision", lambda z: z)
    given = source(network(), x0, 20, 7.5)
    path, _ = inverted(Edict, given)
    assert path.begin(1)[0].dtype == torch.float32
    assert error(replayed(path, given), x0) < 1e-4


def test_a_move_is_the_ddim_move_where_both_latents_agree(x0: torch.Tensor) -> None:
    here, there = Level(0.6, 0.8, 500.0), Level(0.8, 0.6, 300.0)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(1))
    z = here.mix(x0, eps)
    prediction = Prediction(x0, eps)
    assert torch.allclose(step(z, prediction, here, there), prediction.at(there), atol=1e-6)
    assert torch.allclose(undo_step(prediction.at(there), prediction, here, there), z, atol=1e-6)


def test_the_mix_begins_with_the_first_latent_at_every_step() -> None:
    """By hand: who moves first takes turns, who is mixed first does not."""
    levels = (Level(0.4, 0.9, 3), Level(0.6, 0.8, 2), Level(0.8, 0.6, 1), Level(0.96, 0.28, 0))
    x, y = torch.tensor([1.0, -2.0]).double()
    path = CoupledPath(levels, (x.view(1, 1, 1, 1), y.view(1, 1, 1, 1)))
    state = path.begin(1)
    for i, (here, there) in enumerate(pairwise(levels)):
        state, _ = path.step(i, state, lambda z, level, label=None: Prediction(z, 0.3 * z))
        scale = there.signal / here.signal
        by_noise = 0.3 * (there.noise - scale * here.noise)
        if i % 2:
            y = scale * y + by_noise * x
            x = scale * x + by_noise * y
        else:
            x = scale * x + by_noise * y
            y = scale * y + by_noise * x
        x = 0.93 * x + 0.07 * y
        y = 0.93 * y + 0.07 * x
        assert torch.allclose(torch.stack(state).flatten(), torch.stack([x, y]), atol=1e-6)


def test_a_region_keeps_the_source_of_both_latents() -> None:
    model = network()
    given = task(
        PromptToPrompt, inverter="edict", prompt="a dog", source_prompt="a cat", local_blend=False
    )
    given.mask[:, 32:] = 0
    found, wanted = result(PromptToPrompt, model, given), kept(model, given)
    assert abs(found[:, 56:] - wanted[:, 56:]).max() < 1e-3  # another batch rounds otherwise
    assert abs(found[:, :32] - wanted[:, :32]).max() > 1e-2
