"""Which words of two prompts belong together."""

from core.editing.token_alignment import align_tokens, find_differing_tokens, token_indices

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
