"""pix2pix-zero: the edit direction, the energy of the maps, and edits that change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.editing.attention_maps import AttentionRecorder, all_heads
from core.editing.energy_guidance import energy_gradient
from core.editing.inversion import Branches
from core.techniques.pix2pix_zero import (
    SENTENCES,
    Pix2PixZero,
    _guide_by_maps,
    exchanged_words,
    move_embeddings,
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
    tokens = move_embeddings(network(), "a cat on a house", "a cat on a house").tokens
    assert torch.allclose(tokens[0], tokens[1], atol=1e-6)


def test_the_direction_is_the_mean_difference_of_sentences() -> None:
    model = network()
    words = move_embeddings(model, "a red cat", "a red dog")
    assert words.prompts == ("a red cat", "a red dog")
    assert torch.equal(words.tokens[0], model.embed(["a red cat"]).tokens[0])
    means = [
        torch.stack([model.embed([s.format(thing)]).tokens[0] for s in SENTENCES]).mean(0)
        for thing in ("cat", "dog")
    ]
    assert torch.allclose(words.tokens[1] - words.tokens[0], means[1] - means[0], atol=1e-5)
    assert (means[1] - means[0]).abs().max() > 0.1


def test_the_words_that_differ_are_found() -> None:
    assert exchanged_words("a cat on a sofa", "a big dog on a sofa") == ("cat", "big dog")
    assert exchanged_words("a cat", "a cat in a hat") == ("a cat", "a cat in a hat")
    assert exchanged_words("", "a dog") == ("", "a dog")


def test_unlikeness_sums_positions_and_averages_heads() -> None:
    wanted, edited = torch.zeros(2, 2, 3, 5), torch.zeros(1, 2, 3, 5)
    wanted[1] = 7.0
    edited[0, 0], edited[0, 1] = 1.0, 3.0
    assert unlikeness([edited], [wanted]) == (15 + 9 * 15) / 2
    assert unlikeness([edited, edited], [wanted, wanted]) == 15 + 9 * 15


START = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def shown_maps(z: torch.Tensor, prompt: str) -> list[torch.Tensor]:
    """The cross-attention maps of a latent with a prompt, unguided."""
    model, record = network(), AttentionRecorder(reduce=all_heads)
    with model.attention(record):
        model.denoiser(prompt)(z, model.levels(10)[4])
    return record.collected


def energy(z: torch.Tensor) -> torch.Tensor:
    """How unlike a dog's maps are to those of a cat in the same place."""
    return unlikeness(shown_maps(z, "a dog"), shown_maps(START, "a cat"))


def test_a_step_down_the_slope_makes_the_maps_more_alike() -> None:
    before, slope = float(energy(START)), energy_gradient(energy, START)
    assert slope.abs().max() > 0
    after = float(energy(START - 1e-2 * before / slope.square().sum() * slope))
    assert after < 0.995 * before


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_only_the_edited_branch_is_pulled(guidance: float) -> None:
    model, level = network(), network().levels(10)[4]
    embeddings = model.embed(["a cat", "a dog"])
    branches = Branches(model, embeddings, (3.0, guidance), model.embed([""]))
    z = START.repeat(2, 1, 1, 1)
    found, plain = _guide_by_maps(branches, 5.0)(z, level), branches(z, level)
    moved = START - 5 * energy_gradient(energy, START)
    assert torch.allclose(found.x0[0], plain.x0[0], atol=1e-5)
    assert torch.allclose(level.mix(found.x0, found.eps), torch.cat([START, moved]), atol=1e-4)
    again = branches(torch.cat([START, moved]), level)
    assert torch.allclose(found.eps, again.eps, atol=1e-4)
    assert not found.eps.requires_grad
