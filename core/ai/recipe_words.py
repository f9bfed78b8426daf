"""The words of a person in a recipe: those that the technique takes, and those kept for another."""

from collections.abc import Mapping
from dataclasses import replace

from core import catalog
from core.ai.recipe_values import name_of, negative_name_of, negative_prompt_of, value_of
from core.catalog import verbs
from core.params import PROMPTS, Meaning, NegativePrompt, Prompt
from core.task import ModifierSetting, Recipe

catalog.load("verbs")


def words_of(recipe: Recipe) -> dict[Meaning, str]:
    """All words of a recipe by their meaning, empty texts for what is not written."""
    found: dict[Meaning, str] = {}
    for meaning in PROMPTS:
        kept = recipe.words.get(meaning.usual_name)
        found[meaning] = kept if kept is not None else _taken(recipe, meaning)
    return found


def with_words(recipe: Recipe, words: Mapping[Meaning, str]) -> Recipe:
    """The recipe with other words, all of them, wherever technique and guidance take them.

    Words that nothing takes are kept beside, so that another technique finds them.
    """
    texts = {meaning: words.get(meaning, "") for meaning in PROMPTS}
    negative = texts[NegativePrompt]
    modifiers = tuple(_with_negative(one, negative) for one in recipe.modifiers)
    made = replace(recipe, modifiers=modifiers)
    aside: dict[str, str] = {}
    for meaning, text in texts.items():
        name = name_of(made, meaning)
        is_taken = name is not None and name in made.params
        is_asked = _is_asked(made, meaning)
        if is_taken and name is not None:
            made = made.with_params(**{name: text if is_asked else ""})
        elif meaning is NegativePrompt:
            is_taken = negative_prompt_of(made) is not None
        if text and not (is_taken and is_asked):
            aside[meaning.usual_name] = text
    return replace(made, words=aside)


def _taken(recipe: Recipe, meaning: Meaning) -> str:
    """The words that the technique or a modifier takes."""
    if meaning is NegativePrompt:
        return negative_prompt_of(recipe) or ""
    found = value_of(recipe, meaning)
    return "" if found is None else str(found)


def _is_asked(recipe: Recipe, meaning: Meaning) -> bool:
    """Whether the technique gets these words: not the prompt of a verb that asks for none."""
    if meaning is not Prompt or recipe.verb not in verbs:
        return True
    return bool(verbs[recipe.verb].prompt_hint)


def _with_negative(modifier: ModifierSetting, negative: str) -> ModifierSetting:
    """The modifier with another negative prompt, if it takes one."""
    name = negative_name_of(modifier)
    if name is None or name not in modifier.params:
        return modifier
    return replace(modifier, params={**modifier.params, name: negative})
