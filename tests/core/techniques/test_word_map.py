"""Where words look: bright where attention is, nowhere for words that are not there."""

import numpy as np
import torch

from core.diffusion.attention import AttentionLayer
from core.techniques.word_map import WordMap, _token_recorder
from tests.core.inverting import network, result, task


def test_it_is_grey_and_stretched() -> None:
    given = task(WordMap, prompt="cat", source_prompt="a cat on the house", steps=3)
    seen = result(WordMap, network(), given)
    assert seen.shape == given.image.shape
    assert np.array_equal(seen[..., 0], seen[..., 2])
    assert seen.min() < 0.05
    assert seen.max() > 0.95


def test_a_level_is_one_call() -> None:
    model = network()
    calls = model.calls
    result(WordMap, model, task(WordMap, prompt="cat", source_prompt="a cat", steps=5))
    assert model.calls - calls == 5


def test_words_that_are_not_there_look_nowhere() -> None:
    given = task(WordMap, prompt="dog", source_prompt="a cat", steps=2)
    assert not result(WordMap, network(), given).any()


def test_the_map_is_bright_where_the_word_looks() -> None:
    recorder = _token_recorder([2], (8, 8))
    for side in (8, 4):
        maps = torch.full((2, 2, side * side, 16), 0.01)
        maps[1, :, :side, 2] = 1.0
        assert torch.equal(recorder.maps(AttentionLayer(0, "x", True), maps), maps)
    found = recorder.mean()[0, 0]
    assert (found[0] > 4 * found[4]).all()
