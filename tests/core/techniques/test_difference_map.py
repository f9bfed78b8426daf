"""What would change: nothing between equal prompts, and on Gaussians the closed form."""

import numpy as np

from core.models.opening import open_model
from core.techniques.difference_map import DifferenceMap
from tests.core.inverting import network, result, task


def test_equal_prompts_would_change_nothing() -> None:
    given = task(DifferenceMap, prompt="a cat", source_prompt="a cat", steps=2)
    assert not result(DifferenceMap, network(), given).any()


def test_other_words_are_seen_somewhere() -> None:
    given = task(DifferenceMap, prompt="a dog", source_prompt="a cat", steps=3)
    seen = result(DifferenceMap, network(), given)
    assert seen.shape == given.image.shape
    assert seen.max() > 0.9
    assert seen.min() < 0.1


def test_gaussians_differ_everywhere_alike() -> None:
    """Two means differ by the same amount in every cell, so there is nothing to stretch."""
    given = task(DifferenceMap, prompt="red", source_prompt="sea", steps=2)
    assert np.allclose(result(DifferenceMap, open_model("toy"), given), 0, atol=0.05)


def test_a_draw_is_one_call() -> None:
    model = network()
    calls = model.calls
    result(DifferenceMap, model, task(DifferenceMap, prompt="a cat", steps=4))
    assert model.calls - calls == 4
