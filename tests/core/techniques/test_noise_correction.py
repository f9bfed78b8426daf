"""Noise correction: the closed form, the slide of the words, and edits that change nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.model import Conditioning, Denoise, Prediction
from core.editing.prompt_edit import EditStep, PromptEdit
from core.techniques.noise_correction import NoiseCorrection, _Corrected
from tests.core.inverting import error, kept, network, result, states_of, step_at, task
from tests.core.techniques.driving import finished

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "a cat", "inverter": "ddim"}


def corrected_at(index: int = 0, **changes: Any) -> tuple[EditStep, _Corrected]:
    given = task(NoiseCorrection, **{"steps": 11, **OTHER, **changes})
    edit = PromptEdit(given, network())
    return step_at(edit, index, (1.0, 5.0)), _Corrected(edit, given.params)


def walked(**changes: Any) -> tuple[PromptEdit, list[torch.Tensor]]:
    given = task(NoiseCorrection, **{**OTHER, **changes})
    edit = PromptEdit(given, network())
    return edit, [z for z, *_ in states_of(_Corrected(edit, given.params))]


class Plain(_Corrected):
    """Plain guidance of the edit alone."""

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        return denoise


@pytest.mark.parametrize("changes", [{"correction": 0.0}, {"prompt": "a cat"}])
def test_no_correction_or_no_new_words_is_the_source(changes: dict[str, Any]) -> None:
    edit, seen = walked(corrected=1.0, **changes)
    assert len(seen) == edit.count
    assert all(torch.equal(z[0], z[1]) for z in seen)


def test_never_corrected_is_guidance_away_from_the_source_prompt() -> None:
    model = network()
    given = task(NoiseCorrection, **OTHER, corrected=0.0)
    plain = task(NoiseCorrection, **OTHER, corrected=0.0, negative_prompt="a cat")
    edit = PromptEdit(plain, model)
    _, wanted = finished(edit.run(Plain(edit, plain.params)))
    assert np.array_equal(result(NoiseCorrection, model, given), wanted)


def test_a_negative_prompt_takes_the_place_of_the_source_prompt() -> None:
    step, corrected = corrected_at(9, negative_prompt="a house")
    z = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    level = corrected.edit.levels[9]
    seen = corrected.guide(step, step.branches)(z, level)
    uncond, cond = (network().denoiser(prompt)(z[1:], level) for prompt in ("a house", "a dog"))
    wanted = uncond.eps + 5.0 * (cond.eps - uncond.eps)
    assert error(seen.eps[1:], wanted) < 1e-4


def seen_alone(edit: PromptEdit, z: torch.Tensor, words: Conditioning) -> list[Prediction]:
    shown = [(z[:1], words, 0), (z[1:], words, 1), (z[1:], words, 0)]
    level = edit.levels[3]
    return [
        edit.model.denoiser(Conditioning(("",), words.tokens[row : row + 1]))(part, level)
        for part, words, row in shown
    ]


def test_early_noise_is_the_closed_form() -> None:
    step, corrected = corrected_at(2)
    edit, level = corrected.edit, corrected.edit.levels[3]
    z = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    seen = corrected.guide(step, step.branches)(z, level)
    words = step.branches.embeddings
    source, cond, away = seen_alone(edit, z, corrected.interpolate(words, 0.8 + 0.2 * 3 / 5))
    wanted = source.eps + 0.2 * 5.0 * (cond.eps - away.eps)
    assert error(seen.eps[:1], source.eps) < 1e-4
    assert error(seen.eps[1:], wanted) < 1e-4
    assert error(level.mix(seen.x0, seen.eps), z) < 1e-4


def test_half_of_the_steps_are_corrected_and_words_arrive_then() -> None:
    shares: list[float] = []

    class Noting(_Corrected):
        def interpolate(self, words: Conditioning, share: float) -> Conditioning:
            shares.append(share)
            return super().interpolate(words, share)

    _, corrected = corrected_at()
    assert corrected.edit.count == 10
    noting = Noting(corrected.edit, corrected.params)
    for index in range(10):
        step = step_at(noting.edit, index, (1.0, 5.0))
        noting.guide(step, step.branches)
    assert shares == pytest.approx([0.84, 0.88, 0.92, 0.96, 1.0])


def test_swapped_words_slide_and_added_ones_are_there() -> None:
    step, corrected = corrected_at(prompt="a red dog on", source_prompt="a red cat")
    words = step.branches.embeddings
    sliding = corrected.interpolate(words, 0.25).tokens
    old, new = words.tokens
    assert torch.equal(sliding[0], old)
    # Pieces: [CLS] a red cat [SEP] and [CLS] a red dog on [SEP]; a run is spread evenly.
    for here, there in ((0, 0), (1, 1), (2, 2), (3, 3), (5, 4), (6, 5)):
        assert torch.allclose(sliding[1, here], old[there].lerp(new[here], 0.25))


def test_a_pure_addition_is_there_at_once() -> None:
    step, corrected = corrected_at(prompt="a red cat", source_prompt="a cat")
    words = step.branches.embeddings
    sliding = corrected.interpolate(words, 0.25).tokens
    assert torch.equal(sliding[1, 2], words.tokens[1, 2])
    assert torch.allclose(sliding[1, 3], words.tokens[0, 2].lerp(words.tokens[1, 3], 0.25))
    assert torch.equal(corrected.interpolate(words, 1.0).tokens, words.tokens)


def test_fillers_slide_from_the_source_s_fillers() -> None:
    step, corrected = corrected_at(prompt="a cat", source_prompt="a red cat")
    words = step.branches.embeddings
    tokens = torch.rand(words.tokens.shape, generator=torch.Generator().manual_seed(0))
    sliding = corrected.interpolate(replace(words, tokens=tokens), 0.25).tokens
    for here, there in ((4, 5), (9, 10), (15, 15)):
        assert torch.allclose(sliding[1, here], tokens[0, there].lerp(tokens[1, here], 0.25))


def test_more_correction_goes_further_from_the_source() -> None:
    away = []
    for correction in (0.05, 0.2, 0.8):
        _, seen = walked(corrected=1.0, correction=correction)
        away.append(float((seen[-1][0] - seen[-1][1]).norm()))
    assert away[0] < away[1] < away[2]


def test_strength_nought_is_the_picture() -> None:
    model = network()
    given = task(NoiseCorrection, strength=0.0, **OTHER)
    assert np.array_equal(result(NoiseCorrection, model, given), kept(model, given))
