"""Which words of two prompts belong together."""

from core.editing.token_alignment import aligned, differing, places_of

CAT = ("[CLS]", "a", "cat", "on", "grass", "[SEP]")
DOG = ("[CLS]", "a", "big", "dog", "on", "grass", "[SEP]")


def test_shared_words_find_each_other() -> None:
    assert aligned(CAT, DOG) == [0, 1, -1, -1, 3, 4, 5]
    assert aligned(CAT, CAT) == [0, 1, 2, 3, 4, 5]


def test_swapped_words_belong_to_what_they_replace() -> None:
    assert aligned(CAT, DOG, swaps=True) == [0, 1, 2, 2, 3, 4, 5]


def test_words_that_only_one_prompt_has() -> None:
    assert differing(CAT, DOG) == ([2], [2, 3])
    assert differing(CAT, CAT) == ([], [])
    assert differing((), ("a",)) == ([], [0])


def test_words_are_found_in_a_sentence_without_marks() -> None:
    assert places_of(DOG, ("[CLS]", "big", "dog", "[SEP]")) == [2, 3]
    assert places_of(("<|startoftext|>", "cat</w>"), ("<|startoftext|>", "dog</w>")) == []
