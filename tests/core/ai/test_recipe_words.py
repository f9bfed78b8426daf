"""Words survive every change of verb and technique, also where nothing takes them."""

import pytest

from core import catalog
from core.ai.recipe_values import prompt_of, source_prompt_of
from core.ai.recipe_words import with_words, words_of
from core.ai.verb_recipes import with_technique, with_verb
from core.params import Meaning, NegativePrompt, Prompt, SourcePrompt
from core.task import Recipe

catalog.load("techniques", "verbs", "modifiers")
WORDS: dict[Meaning, str] = {
    Prompt: "a mushroom",
    SourcePrompt: "a tree",
    NegativePrompt: "fog",
}
TECHNIQUES = catalog.techniques.ids()


def start() -> Recipe:
    return with_words(Recipe("sdedit", {"prompt": "", "strength": 0.5}, "toy"), WORDS)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_every_technique_keeps_all_words(technique: str) -> None:
    there = with_technique(start(), technique)
    assert words_of(there) == WORDS
    assert words_of(with_technique(there, "sdedit")) == WORDS
    assert words_of(Recipe.from_json(there.to_json())) == WORDS


@pytest.mark.parametrize("verb", catalog.verbs.ids())
def test_every_verb_keeps_all_words(verb: str) -> None:
    there = with_verb(start(), verb)
    assert there.verb == verb
    assert words_of(there) == WORDS
    assert words_of(with_verb(there, "add")) == WORDS
    assert source_prompt_of(there) == "a tree"


def test_what_goes_is_not_painted_again() -> None:
    """Remove asks for no prompt: one typed for another verb waits beside."""
    there = with_verb(start(), "remove")
    assert prompt_of(there) == ""
    assert prompt_of(with_verb(there, "replace")) == "a mushroom"


def test_words_that_nothing_takes_do_not_change_the_result() -> None:
    with_more = with_words(start(), {**WORDS, SourcePrompt: "a house"})
    assert with_more.key == start().key
    assert with_more != start()
