"""Doubt: wrong words for a picture are told, right ones are not, and missing ones are."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from core.bench.laboratory import SIDE
from core.editing.prompt_warnings import (
    NO_SOURCE_PROMPT,
    PROMPT_DOES_NOT_FIT,
    prompt_fit,
    warn_about_prompt,
)
from core.models.opening import open_model
from core.storybook.edits import SceneEdit, make_edits
from core.storybook.layout import FOLDER, read_description
from core.task import Recipe, Task
from tests.core.inverting import network

COUNT = 7


@dataclass(frozen=True)
class Words:
    prompt: str = ""
    source_prompt: str = ""


@cache
def storybook() -> Any:
    return open_model("storybook")


@cache
def scenes() -> list[SceneEdit]:
    known = read_description(FOLDER)
    return make_edits(COUNT, known["objects"], known["backgrounds"], known["styles"])


def told(model: Any, number: int, words: Words) -> list[str]:
    """What is noted of words for the picture of a scene."""
    picture = scenes()[number].pictures(SIDE)[0]
    task: Task[Any] = Task(Recipe("", {}), words, picture, np.ones((SIDE, SIDE), np.float32))
    model.notes.clear()
    warn_about_prompt(task, model, model.encode(picture))
    return list(model.notes)


@pytest.mark.parametrize("number", range(COUNT))
def test_right_words_are_not_doubted_and_wrong_ones_are(number: int) -> None:
    model = storybook()
    right, wrong = scenes()[number], scenes()[(number + 3) % COUNT]
    assert told(model, number, Words("a dog", right.source_prompt)) == []
    unlike = PROMPT_DOES_NOT_FIT.format(wrong.source_prompt)
    assert told(model, number, Words("a dog", wrong.source_prompt)) == [unlike]


def test_missing_words_are_told_where_a_prompt_is_given() -> None:
    model = network()
    calls = model.calls
    assert told(model, 0, Words("a dog", " ")) == [NO_SOURCE_PROMPT]
    assert told(model, 0, Words()) == []
    assert model.calls == calls


def test_the_same_picture_and_words_are_looked_at_once() -> None:
    model = network()
    model.cache.clear()
    words = Words("a dog", "a cat")
    told(model, 1, words)
    calls = model.calls
    told(model, 1, words)
    assert model.calls == calls


def test_the_figure_is_the_share_of_the_error_that_words_take_away() -> None:
    """Against the same sum over two calls, one for each prompt."""
    model = network()
    picture = scenes()[0].pictures(64)[0]
    task: Task[Any] = Task(Recipe("", {}), Words(), picture, np.ones((64, 64), np.float32))
    x0 = model.encode(picture)
    noise = task.noise(x0, "doubt")
    level = model.levels(1000)[500]
    z = level.mix(x0, noise)
    errors = [(model.denoiser(words)(z, level).eps - noise).square().sum() for words in ("", "a")]
    wanted = float(100 * (errors[0] - errors[1]) / errors[0])
    assert prompt_fit(task, model, x0, "a") == pytest.approx(wanted, rel=1e-3, abs=1e-4)
    assert prompt_fit(task, model, x0, "") == pytest.approx(0, abs=1e-4)
