"""A verb takes the measured technique for its words; a technique of the person's own stays."""

import pytest

from core.ai.recipe_words import words_of
from core.ai.verb_recipes import (
    is_found_by_words,
    ordered_verbs,
    verb_of,
    verb_recipe,
    with_best_method,
    with_technique,
    with_verb,
)
from core.errors import EditorError
from core.params import Meaning, Prompt, SourcePrompt
from core.task import Recipe


def words(source: str, prompt: str) -> dict[Meaning, str]:
    return {SourcePrompt: source, Prompt: prompt}


def test_the_verbs_stand_in_their_order() -> None:
    shown = [kind.id for kind in ordered_verbs()]
    assert shown == ["add", "replace", "remove", "restyle", "generate"]


def test_another_kind_of_thing_is_repainted_and_another_look_is_not() -> None:
    repainted = verb_recipe("replace", "storybook", 1, words("a tree", "a mushroom"))
    coloured = verb_recipe("replace", "storybook", 1, words("a red car", "a blue car"))
    assert repainted.technique == "blended-inpaint"
    assert coloured.technique != repainted.technique
    assert coloured.params["source_prompt"] == "a red car"


def test_nothing_new_is_painted_where_something_goes() -> None:
    assert verb_recipe("remove", "storybook", 1, words("a tree", "")).technique == "erase"
    assert verb_recipe("remove", "toy", 1).technique == "erase"


@pytest.mark.parametrize("verb", [kind.id for kind in ordered_verbs()])
@pytest.mark.parametrize("model", ["storybook", "toy"])
def test_every_verb_has_a_recipe_for_every_model(verb: str, model: str) -> None:
    assert verb_recipe(verb, model, 7).seed == 7


def test_a_model_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(EditorError, match="no such file or folder"):
        verb_recipe("add", "/no/such/model")


def test_writing_changes_the_technique_only_while_it_is_the_verbs_own() -> None:
    recipe = verb_recipe("replace", "storybook", 1, words("a red car", "a"))
    now = with_best_method(recipe, words("a red car", "a blue car"))
    assert now.technique != recipe.technique
    assert words_of(now)[Prompt] == "a blue car"
    chosen = with_technique(recipe, "sdedit")
    assert with_best_method(chosen, words("a red car", "a blue car")).technique == "sdedit"


def test_an_old_recipe_has_the_verb_of_its_technique() -> None:
    assert verb_of(Recipe("text-to-image")) == "generate"
    assert verb_of(Recipe("blended-inpaint")) == "add"
    assert verb_of(Recipe("blended-inpaint", verb="replace")) == "replace"
    assert verb_of(Recipe("masactrl")) == ""


def test_words_find_the_region_of_verbs_that_act_on_a_thing() -> None:
    assert is_found_by_words(verb_recipe("replace", "toy", 1, words("a tree", "a car")))
    assert not is_found_by_words(verb_recipe("replace", "toy", 1, words(" ", "a car")))
    assert not is_found_by_words(verb_recipe("add", "toy", 1, words("a tree", "a car")))
    assert not is_found_by_words(with_verb(Recipe("sdedit", model="toy"), "restyle"))
