"""pix2pix-zero: the edit direction, the energy of the maps, and edits that change nothing."""

from typing import Any

import numpy as np
import torch

from core.energy import Recorded, gradient
from core.inversion import Branches
from core.techniques.pix2pix_zero import (
    SENTENCES,
    Pix2PixZero,
    _pulled,
    exchanged,
    turned,
    unlikeness,
)
from tests.core.inverting import kept, network, result, task

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat"}
SAME: dict[str, Any] = {"prompt": "a cat", "source_prompt": "a cat"}


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(Pix2PixZero, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(Pix2PixZero, model, given), kept(model, given))
    assert model.calls == calls


def test_the_same_words_are_a_reconstruction() -> None:
    """Both branches see one latent and one prompt: the maps agree and nothing is pulled."""
    model = network()
    free, pulled = (
        result(Pix2PixZero, model, task(Pix2PixZero, pose=pose, inverter="ddim", **SAME))
        for pose in (0.0, 1.0)
    )
    assert np.allclose(free, pulled, atol=1e-4)


def test_other_words_change_the_picture_and_the_pull_changes_the_edit() -> None:
    model = network()
    free, pulled = (
        result(Pix2PixZero, model, task(Pix2PixZero, pose=pose, **OTHER)) for pose in (0.0, 0.5)
    )
    whole = kept(model, task(Pix2PixZero, **OTHER))
    assert not np.allclose(free, whole, atol=1e-3)
    assert not np.array_equal(free, pulled)


def test_the_same_words_have_no_direction() -> None:
    tokens = turned(network(), "a cat on a house", "a cat on a house").tokens
    assert torch.allclose(tokens[0], tokens[1], atol=1e-6)


def test_the_direction_is_the_mean_difference_of_sentences() -> None:
    model = network()
    words = turned(model, "a red cat", "a red dog")
    assert words.prompts == ("a red cat", "a red dog")
    assert torch.equal(words.tokens[0], model.embed(["a red cat"]).tokens[0])
    means = [
        torch.stack([model.embed([s.format(thing)]).tokens[0] for s in SENTENCES]).mean(0)
        for thing in ("cat", "dog")
    ]
    assert torch.allclose(words.tokens[1] - words.tokens[0], means[1] - means[0], atol=1e-5)
    assert (means[1] - means[0]).abs().max() > 0.1


def test_the_words_that_differ_are_found() -> None:
    assert exchanged("a cat on a sofa", "a big dog on a sofa") == ("cat", "big dog")
    assert exchanged("a cat", "a cat in a hat") == ("a cat", "a cat in a hat")
    assert exchanged("", "a dog") == ("", "a dog")


def test_unlikeness_sums_positions_and_averages_heads() -> None:
    maps = torch.zeros(4, 2, 3, 5)
    maps[1] = 1.0
    maps[3] = 3.0
    assert unlikeness([maps], [0, 2], [1, 3]) == (15 + 9 * 15) / 2
    assert unlikeness([maps, maps], [0, 2], [1, 3]) == 15 + 9 * 15


def test_a_step_down_the_slope_makes_the_maps_more_alike() -> None:
    model, level = network(), network().levels(10)[4]
    words = turned(model, "a cat", "a dog")
    z = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0)).repeat(2, 1, 1, 1)

    def energy(shown: torch.Tensor) -> torch.Tensor:
        record = Recorded(is_cross=True)
        with model.attention(record):
            model.denoiser(words)(shown, level)
        return unlikeness(record.seen, [0], [1])

    before, slope = float(energy(z)), gradient(energy, z)
    assert slope[1].abs().max() > 0
    assert not slope[0].any()
    after = float(energy(z - 1e-2 * before / slope.square().sum() * slope))
    assert after < 0.995 * before


def test_only_the_edited_branch_is_pulled() -> None:
    model, level = network(), network().levels(10)[4]

    class Edit:
        branches = Branches(model, turned(model, "a cat", "a dog"), (3.0, 3.0), model.embed([""]))

    edit: Any = Edit()
    edit.model = model
    z = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0)).repeat(2, 1, 1, 1)

    def energy(shown: torch.Tensor) -> torch.Tensor:
        record = Recorded(is_cross=True)
        with model.attention(record):
            edit.branches(shown, level)
        return unlikeness(record.seen, [0, 2], [1, 3])

    slope = gradient(energy, z)
    found = _pulled(edit, edit.branches, 5.0)(z, level)
    assert not slope[0].any()
    assert torch.allclose(level.mix(found.x0, found.eps), z - 5 * slope, atol=1e-4)
    assert not found.eps.requires_grad
