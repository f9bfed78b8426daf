"""Which words of two prompts belong together."""

import numpy as np
import pytest

from core.editing.token_alignment import (
    align_tokens,
    exchange_weights,
    find_differing_tokens,
    replaced_runs,
    token_indices,
)

CAT = ("[CLS]", "a", "cat", "on", "grass", "[SEP]")
DOG = ("[CLS]", "a", "big", "dog", "on", "grass", "[SEP]")


def test_shared_words_find_each_other() -> None:
    assert align_tokens(CAT, DOG) == [0, 1, -1, -1, 3, 4, 5]
    assert align_tokens(CAT, CAT) == [0, 1, 2, 3, 4, 5]


def test_swapped_words_belong_to_what_they_replace() -> None:
    assert align_tokens(CAT, DOG, swaps=True) == [0, 1, 2, 2, 3, 4, 5]


def test_words_that_only_one_prompt_has() -> None:
    assert find_differing_tokens(CAT, DOG) == ([2], [2, 3])
    assert find_differing_tokens(CAT, CAT) == ([], [])
    assert find_differing_tokens((), ("a",)) == ([], [0])


def test_words_are_found_in_a_sentence_without_marks() -> None:
    assert token_indices(DOG, ("[CLS]", "big", "dog", "[SEP]")) == [2, 3]
    assert token_indices(("<|startoftext|>", "cat</w>"), ("<|startoftext|>", "dog</w>")) == []


def expected(length: int, **columns: dict[int, float]) -> np.ndarray:
    """A matrix of weights from its columns: what each takes of the source's positions."""
    weights = np.zeros((length, length), np.float32)
    for name, taken in columns.items():
        for source, weight in taken.items():
            weights[source, int(name[1:])] = weight
    return weights


def test_refining_exchanges_shared_words_and_padding() -> None:
    one = {n: {n: 1.0} for n in range(9)}
    wanted = expected(
        9, _0=one[0], _1=one[1], _4={3: 1}, _5={4: 1}, _6={5: 1}, _7=one[7], _8=one[8]
    )
    assert np.array_equal(exchange_weights(CAT, DOG, 9), wanted)
    assert np.array_equal(exchange_weights(CAT, CAT, 77), np.eye(77))


def test_replacing_gives_each_of_n_pieces_one_nth() -> None:
    found = exchange_weights(CAT, DOG, 9, swaps=True)
    assert found[2, 2] == found[2, 3] == pytest.approx(1 / 2)
    back = exchange_weights(DOG, CAT, 9, swaps=True)
    assert back[2, 2] == back[3, 2] == 1
    both = exchange_weights(("a", "cat", "b"), ("a", "dog", "b"), 4, swaps=True)
    assert np.array_equal(both, np.eye(4))


def test_pieces_beyond_the_context_are_left_out() -> None:
    assert exchange_weights(DOG, CAT, 3, swaps=True).shape == (3, 3)
    assert np.array_equal(exchange_weights(CAT, CAT, 3), np.eye(3))
    assert np.array_equal(exchange_weights((), (), 3), np.eye(3))


def test_runs_that_others_replace() -> None:
    assert replaced_runs(CAT, DOG) == [(range(2, 3), range(2, 4))]
    assert replaced_runs(CAT, CAT) == []
    assert replaced_runs(("a",), ("a", "b")) == []
