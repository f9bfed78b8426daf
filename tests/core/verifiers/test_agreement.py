"""Agreement: on the toy model it is a closed form, and it knows the prompt's own picture."""

from typing import Any

import pytest
import torch

from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule
from core.models.opening import open_model
from core.models.toy import VARIANCE, colour_of
from core.techniques.good_seed import GoodSeed
from core.verifiers.agreement import Agreement
from tests.core.inverting import network, task
from tests.core.verifiers.judging import case


def given(**changes: Any) -> Any:
    return task(GoodSeed, 1, **{"prompt": "red", **changes})


def flat(colour: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    """A picture of one colour, folded as the toy model's codec folds it."""
    return torch.tensor(colour).repeat_interleave(64)[None, :, None, None].expand_as(like)


def test_the_score_is_the_closed_form() -> None:
    model, edit = open_model("toy"), given()
    judged = case(model, edit)
    picture = 0.3 * torch.randn(1, 192, 8, 8, generator=torch.Generator().manual_seed(2))
    level, noise = full_schedule(model)[SCHEDULE_STEPS // 2], edit.noise(judged.x0, "judge")
    share = level.noise / (level.signal**2 * VARIANCE + level.noise**2)
    missed = []
    for prompt in ("", "red"):
        away = level.signal * (picture - flat(colour_of(prompt), picture)) + level.noise * noise
        missed.append(float((share * away - noise).square().sum()))
    expected = 100 * (missed[0] - missed[1]) / missed[0]
    assert float(Agreement().judge(judged)(picture)[0]) == pytest.approx(expected, rel=1e-4)


def test_the_nearer_to_the_prompt_the_better() -> None:
    model, edit = open_model("toy"), given()
    judged = case(model, edit)
    own = flat(colour_of("red"), judged.x0)
    scores = Agreement().judge(judged)(torch.cat([share * own for share in (0, 0.25, 0.5, 1)]))
    assert (scores.diff() > 0).all()
    assert scores[0] < 0 < scores[-1]


def test_another_prompts_picture_scores_less() -> None:
    judged = case(open_model("toy"), given())
    own, other = (flat(colour_of(word), judged.x0) for word in ("red", "blue"))
    scores = Agreement().judge(judged)(torch.cat([own, other]))
    assert scores[0] > scores[1]


def test_without_a_prompt_nothing_agrees_better() -> None:
    score = Agreement().judge(case(network(), given(prompt="")))
    assert torch.allclose(score(torch.randn(3, 16, 8, 8)), torch.zeros(3), atol=1e-3)


def test_only_what_is_painted_counts() -> None:
    model, edit = open_model("toy"), given()
    judged = case(model, edit)
    judged.mask[..., :4] = 0
    score, own = Agreement().judge(judged), flat(colour_of("red"), judged.x0).clone()
    before = score(own)
    own[..., :4] = 5
    assert torch.equal(score(own), before)
