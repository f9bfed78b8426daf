"""pix2pix-zero: the edit direction, the energy of the maps, and edits that change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.editing.attention_maps import AttentionRecorder, all_heads
from core.editing.energy_guidance import energy_gradient
from core.editing.inversion import Branches
from core.editing.prompt_edit import PromptEdit
from core.techniques.pix2pix_zero import (
    SENTENCES,
    Pix2PixZero,
    _guide_by_maps,
    _MovedEmbeddings,
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


def test_unlikeness_sums_positions_and_averages_the_heads_of_both_halves() -> None:
    wanted, edited = torch.zeros(2, 2, 3, 5), torch.zeros(2, 2, 3, 5)
    edited[0, 0], edited[0, 1], edited[1, 0] = 1.0, 3.0, 2.0
    assert unlikeness([edited], [wanted]) == (15 + 9 * 15 + 4 * 15) / 4
    assert unlikeness([edited, edited], [wanted, wanted]) == 2 * (15 + 9 * 15 + 4 * 15) / 4
    assert unlikeness([edited[:1]], [wanted]) == (15 + 9 * 15) / 2


def test_defaults_are_the_published_ones() -> None:
    assert Pix2PixZero.Params().guidance == 5.0
    assert Pix2PixZero.Params().inverter == "regularised"
    assert Pix2PixZero.Params().pose == 0.1


@pytest.mark.parametrize(("negative", "wanted"), [("", "a cat"), ("blurry", "blurry")])
def test_guidance_leads_away_from_the_source_unless_told_otherwise(
    negative: str, wanted: str
) -> None:
    given = task(Pix2PixZero, negative_prompt=negative, **OTHER)
    found = _MovedEmbeddings(PromptEdit(given, network()), given.params).negative_embeddings()
    assert torch.allclose(found.tokens, network().embed([wanted]).tokens)


START = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
OTHER_START = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(1))


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


def test_only_the_edited_branch_is_pulled() -> None:
    """Unguided, by the energy of one row."""
    model, level = network(), network().levels(10)[4]
    branches = Branches(model, model.embed(["a cat", "a dog"]), (3.0, 1.0), model.embed([""]))
    z = START.repeat(2, 1, 1, 1)
    found, plain = _guide_by_maps(branches, 5.0)(z, level), branches(z, level)
    moved = START - 5 * energy_gradient(energy, START)
    assert torch.allclose(found.x0[0], plain.x0[0], atol=1e-5)
    assert torch.allclose(level.mix(found.x0, found.eps), torch.cat([START, moved]), atol=1e-4)
    again = branches(torch.cat([START, moved]), level)
    assert torch.allclose(found.eps, again.eps, atol=1e-4)
    assert not found.eps.requires_grad


def test_each_half_moves_by_the_mean_over_the_heads_of_both() -> None:
    """Half the gradient of a row alone; the step leads on from the unconditional half."""
    model, level, scale = network(), network().levels(10)[4], 3.0
    branches = Branches(model, model.embed(["a cat", "a dog"]), (scale,) * 2, model.embed(["red"]))

    def of_negative(z: torch.Tensor) -> torch.Tensor:
        return unlikeness(shown_maps(z, "red"), shown_maps(OTHER_START, "red"))

    z = torch.cat([OTHER_START, START])
    found = _guide_by_maps(branches, 5.0)(z, level)

    def of_prompt(z: torch.Tensor) -> torch.Tensor:
        return unlikeness(shown_maps(z, "a dog"), shown_maps(OTHER_START, "a cat"))

    cond = START - 5 / 2 * energy_gradient(of_prompt, START)
    uncond = START - 5 / 2 * energy_gradient(of_negative, START)
    assert (cond - uncond).abs().max() > 1e-3
    eps_cond, eps_uncond = (
        model.denoiser(words)(half, level).eps for words, half in (("a dog", cond), ("red", uncond))
    )
    assert torch.allclose(found.eps[1:], eps_uncond + scale * (eps_cond - eps_uncond), atol=1e-3)
    assert torch.allclose(level.mix(found.x0, found.eps)[1:], uncond, atol=1e-4)
