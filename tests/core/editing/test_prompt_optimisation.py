"""Optimised embeddings: never worse than before, and no call where nothing is to be gained."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from core.diffusion.guidance import guide_prediction
from core.diffusion.model import Conditioning
from core.editing.inversion import Source
from core.editing.prompt_optimisation import (
    OptimisationSettings,
    PromptOptimiser,
    optimise_prompts,
)
from core.inverters.null_text import NULL_TEXT
from tests.core.inverting import network, source

ONE = torch.ones(1, 2, 3)


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def embeddings_of(given: Source, latents: Any, tuning: OptimisationSettings) -> list[Conditioning]:
    run = optimise_prompts(given, latents, tuning)
    while True:
        try:
            next(run)
        except StopIteration as end:
            found: list[Conditioning] = end.value
            return found


def latents_of(given: Source) -> list[torch.Tensor]:
    return [level.mix(given.x0, 0.1 * given.noise("x", 0)) for level in given.levels]


def test_the_embeddings_that_come_nearest_are_kept() -> None:
    search = PromptOptimiser(Conditioning(("",), ONE), 0.1)
    search.update(1 * search.embeddings.tokens, ONE + 0.5)
    search.update(1 * search.embeddings.tokens, ONE + 0.5)
    best = search.best.tokens
    assert torch.allclose(best, ONE + 0.1, atol=1e-4)
    assert torch.equal(search.reached, best)
    search.update(1 * search.embeddings.tokens, ONE - 9)
    assert torch.equal(search.best.tokens, best)
    assert not best.requires_grad


@pytest.mark.parametrize("is_negative", [True, False])
def test_no_step_ends_further_away_than_without(is_negative: bool, x0: torch.Tensor) -> None:
    given = source(network(), x0, 4, 7.5)
    latents = latents_of(given)[:2]
    pair = (given.embeddings, given.negative)
    losses = []
    for rounds in (0, 1, 4):
        tuning = replace(NULL_TEXT, rounds=rounds, is_negative=is_negative)
        (found,) = embeddings_of(given, latents, tuning)
        sides = (found, pair[0]) if is_negative else (pair[1], found)
        uncond, cond = (network().denoiser(side)(latents[0], given.levels[0]) for side in sides)
        reached = guide_prediction(uncond, cond, given.guidance).at(given.levels[1])
        losses.append((reached - latents[1]).square().mean().item())
    assert losses[0] > losses[1] > losses[2]


def test_embeddings_that_cannot_act_stay_as_they_are(x0: torch.Tensor) -> None:
    given = source(network(), x0, 4, 1.0)
    latents = latents_of(given)
    calls = network().calls
    for embeddings in embeddings_of(given, latents, NULL_TEXT):
        assert torch.equal(embeddings.tokens, given.negative.tokens)
    assert network().calls - calls == 2 * (len(latents) - 1)


def test_near_enough_saves_calls(x0: torch.Tensor) -> None:
    given = source(network(), x0, 4, 7.5)
    latents = latents_of(given)
    calls = network().calls
    embeddings_of(given, latents, replace(NULL_TEXT, enough=lambda _: 1e9))
    assert network().calls - calls == 2 * (len(latents) - 1)
