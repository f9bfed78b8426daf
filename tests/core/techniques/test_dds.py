"""Delta Denoising Score: the same words have nothing to say; a Gaussian moves in closed form."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from core.editing.inversion import Branches
from core.models.opening import open_model
from core.models.toy import VARIANCE
from core.techniques.dds import (
    PUBLISHED_RATE,
    DeltaDenoisingScore,
    _delta,
    _draw_level,
    _drawable_levels,
)
from tests.core.inverting import kept, network, result, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_words_give_the_picture(seed: int) -> None:
    model = network()
    given = task(DeltaDenoisingScore, seed, **SAME)
    assert np.allclose(result(DeltaDenoisingScore, model, given), kept(model, given), atol=1e-5)


def test_the_same_words_have_no_gradient() -> None:
    model = network()
    x0 = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    embeddings = model.embed(["a cat", "a cat"])
    denoise = Branches(model, embeddings, (7.5, 7.5), model.embed([""]))
    for level in _drawable_levels(model)[::40]:
        assert _delta(denoise, x0, x0, level, torch.ones_like(x0)).abs().max() < 1e-4


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(DeltaDenoisingScore, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(DeltaDenoisingScore, model, given), kept(model, given))
    assert model.calls == calls


def test_strength_is_the_share_of_steps() -> None:
    model = network()
    calls = model.calls
    result(DeltaDenoisingScore, model, task(DeltaDenoisingScore, strength=0.5, **OTHER))
    assert model.calls - calls == 3


def test_outside_the_mask_is_the_picture() -> None:
    model = network()
    given = task(DeltaDenoisingScore, **OTHER)
    given.mask[:, :] = 0
    given.mask[:8, :8] = 1
    found, whole = result(DeltaDenoisingScore, model, given), kept(model, given)
    assert np.array_equal(found[32:, 32:], whole[32:, 32:])
    assert not np.allclose(found[:8, :8], whole[:8, :8], atol=1e-3)


def test_a_gaussian_moves_by_the_difference_of_its_means() -> None:
    """The noise cancels: eps of a Gaussian is linear in the latent and in the mean."""
    model = open_model("toy")
    given = task(DeltaDenoisingScore, guidance=1.0, steps=30, **OTHER)
    given.image[:] = 0.5
    like, levels, share = model.encode(given.image), _drawable_levels(model), 0.0
    for step in range(30):
        level = _draw_level(levels, given, like, step)
        spread = level.signal**2 * VARIANCE + level.noise**2
        share -= PUBLISHED_RATE * level.noise * level.signal / spread * (share - 1)
    moved = model.encode(result(DeltaDenoisingScore, model, given)).mean((0, 2, 3))
    cat, dog = model.embed(["a cat", "a dog"]).tokens[:, 0].repeat_interleave(64, 1)
    assert torch.allclose(moved, (share * (dog - cat)).clamp(-1, 1), atol=1e-4)
    assert share > 0.5


def test_levels_are_drawn_evenly_and_never_at_the_ends() -> None:
    model = open_model("toy")
    given, levels = task(DeltaDenoisingScore), _drawable_levels(model)
    like = torch.zeros(1, 192, 2, 2)
    drawn = [_draw_level(levels, given, like, step) for step in range(2000)]
    tenths = Counter(10 * levels.index(level) // len(levels) for level in drawn)
    assert sorted(tenths) == list(range(10))
    assert max(tenths.values()) < 1.5 * min(tenths.values())
    assert 0.99 < np.arctan2(levels[0].noise, levels[0].signal) / (0.95 * np.pi / 2) < 1.01
    assert 0.9 < np.arctan2(levels[-1].noise, levels[-1].signal) / (0.05 * np.pi / 2) < 1.1
