"""SDEdit."""

import numpy as np
import pytest
import torch

from core.diffusion.latent_masks import last_steps
from core.techniques.sdedit import SDEdit
from tests.core.techniques.driving import RandomModel, edited, task_of


def test_no_strength_is_the_round_trip_bit_for_bit() -> None:
    model, task = RandomModel(), task_of(SDEdit, strength=0.0)
    assert np.array_equal(edited(SDEdit, model, task), model.decode(model.encode(task.image)))
    assert model.calls == 0


@pytest.mark.parametrize(("strength", "calls"), [(1.0, 20), (0.5, 10), (0.01, 1), (0.33, 7)])
def test_strength_is_the_share_of_steps_run(strength: float, calls: int) -> None:
    model = RandomModel()
    edited(SDEdit, model, task_of(SDEdit, strength=strength))
    assert model.calls == calls


def test_more_strength_moves_further_from_the_picture() -> None:
    model, moved = RandomModel(), []
    for strength in (0.1, 0.3, 0.6, 0.9):
        change = 0.0
        for seed in range(4):
            task = task_of(SDEdit, seed, strength=strength)
            change += float(np.abs(edited(SDEdit, model, task) - task.image).mean())
        moved.append(change)
    assert moved == sorted(moved)


def test_it_starts_from_the_picture_noised_to_the_level() -> None:
    """One step of strength from a model that believes what it sees lands on a closed form."""
    model, task = RandomModel(), task_of(SDEdit, strength=0.1, steps=10)
    start, end = last_steps(model.levels(10), 0.1)
    x0 = model.encode(task.image)
    z = start.signal * x0 + start.noise * task.noise(x0)
    wanted = model.decode(model.denoiser("")(z, start).at(end))
    assert np.array_equal(edited(SDEdit, model, task), wanted)
    assert torch.equal(task.noise(x0), task_of(SDEdit, strength=1.0).noise(x0))
