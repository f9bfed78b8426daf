"""Prompt slider: a direction in the prompt's words, and the amounts that change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.techniques.prompt_slider import PromptSlider, direction, shift_embeddings
from tests.core.inverting import kept, network, result, task

PHRASES = {"less": "red", "more": "the house"}


def given(**changes: Any) -> Any:
    return task(PromptSlider, **{"prompt": "a cat", "source_prompt": "a cat", **PHRASES, **changes})


def params(**changes: Any) -> PromptSlider.Params:
    found: PromptSlider.Params = given(**changes).params
    return found


@pytest.mark.parametrize(
    "changes",
    [{"amount": 0.0}, {"delay": 1.0}, {"less": "red", "more": "red"}, {"subject": "dog"}],
)
def test_what_does_not_slide_gives_the_picture_of_the_plain_edit(changes: dict[str, Any]) -> None:
    model = network()
    plain = result(PromptSlider, model, given(less="", more=""))
    assert np.array_equal(result(PromptSlider, model, given(**changes)), plain)
    assert not np.allclose(result(PromptSlider, model, given()), plain, atol=1e-4)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    nought, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(PromptSlider, model, nought), kept(model, nought))
    assert model.calls == calls


def test_the_direction_is_the_difference_the_phrases_make_to_the_words() -> None:
    model = network()
    found = direction(params(), model)
    more, less = (model.embed([prompt]).tokens[0] for prompt in ("the house a cat", "red a cat"))
    assert model.pieces("a cat") == ("[CLS]", "a", "cat", "[SEP]")
    assert torch.allclose(found[1], more[3] - less[2], atol=1e-6)
    assert torch.allclose(found[2], more[4] - less[3], atol=1e-6)
    assert not found[0].any()
    assert not found[3:].any()


def test_phrases_exchanged_turn_the_direction_round() -> None:
    model = network()
    there = direction(params(), model)
    back = direction(params(less="the house", more="red"), model)
    assert torch.allclose(there, -back)
    assert there.any()


def test_a_subject_slides_alone() -> None:
    model = network()
    found, whole = direction(params(subject="cat"), model), direction(params(), model)
    assert torch.equal(found[2], whole[2])
    assert not found[[0, 1, 3]].any()


def test_the_source_keeps_its_words() -> None:
    model = network()
    embeddings, shift = model.embed(["a dog", "a cat"]), direction(params(), model)
    moved = shift_embeddings(embeddings, shift)
    assert torch.equal(moved.tokens[0], embeddings.tokens[0])
    assert torch.allclose(moved.tokens[1] - embeddings.tokens[1], shift, atol=1e-6)
