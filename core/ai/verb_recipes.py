"""The recipe of a verb: the technique that the guide knows to be best, and the person's words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core import catalog
from core.ai.guide import best_method, method_values
from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import value_of
from core.ai.recipe_words import with_words, words_of
from core.catalog import params_of, techniques, verbs
from core.errors import EditorError, ModelError
from core.models.opening import capabilities_of
from core.params import Meaning, Prompt, Range, SourcePrompt, Steps, field_marked
from core.task import Recipe

catalog.load("verbs")


def verb_recipe(
    verb: str,
    model: str,
    seed: int = 0,
    words: Mapping[Meaning, str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Recipe:
    """Make the recipe of a verb for a model; ``values`` are parameters that take precedence.

    Raises EditorError for an unknown verb, or a parameter that is unknown or out of range.
    """
    given = dict(words or {})
    kind = verbs[verb]
    sought = kind.kind_of(given.get(SourcePrompt, ""), given.get(Prompt, ""))
    method = best_method(sought, kind.technique, _capabilities(model))
    named: dict[str, Any] = {**method_values(method), **(values or {})}
    recipe = default_recipe(method.technique, model, seed, named)
    return with_words(replace(recipe, verb=verb), given)


def with_verb(recipe: Recipe, verb: str) -> Recipe:
    """The recipe of another verb; model, seed, context and all words stay."""
    made = verb_recipe(verb, recipe.model, recipe.seed, words_of(recipe))
    return replace(made, context=recipe.context, confined=recipe.confined)


def with_best_method(recipe: Recipe, words: Mapping[Meaning, str]) -> Recipe:
    """The recipe with other words, by another technique where the verb now asks for one.

    A technique that the person chose instead of the verb's own stays.
    """
    if recipe.verb not in verbs or not has_own_method(recipe):
        return with_words(recipe, words)
    now = verb_recipe(recipe.verb, recipe.model, recipe.seed, words)
    if now.technique == recipe.technique:
        return with_words(recipe, words)
    return replace(now, context=recipe.context, confined=recipe.confined)


def has_own_method(recipe: Recipe) -> bool:
    """Whether the technique is the one that the verb would choose for these words."""
    return verb_recipe(recipe.verb, recipe.model, 0, words_of(recipe)).technique == recipe.technique


def is_found_by_words(recipe: Recipe) -> bool:
    """Whether the words for what is there name the region, where nothing is selected."""
    if recipe.verb not in verbs or verbs[recipe.verb].takes_whole:
        return False
    asks = bool(verbs[recipe.verb].source_hint)
    return asks and bool(words_of(recipe)[SourcePrompt].strip())


def verb_of(recipe: Recipe) -> str:
    """The verb of a recipe; of one without, the first verb with its technique, or nothing."""
    if recipe.verb in verbs:
        return recipe.verb
    found = (kind for kind in ordered_verbs() if kind.technique == recipe.technique)
    return next((kind.id for kind in found), "")


def ordered_verbs() -> list[type[catalog.Verb]]:
    """Every verb, by its position."""
    return sorted(verbs, key=lambda kind: (kind.position, kind.id))


def with_technique(recipe: Recipe, technique: str) -> Recipe:
    """The recipe of another technique: words stay, and steps where it allows so many.

    Its guidance is the usual one.
    """
    values = _kept_steps(recipe, params_of(techniques[technique]))
    fresh = default_recipe(technique, recipe.model, recipe.seed, values)
    had = recipe.modifiers if fresh.modifiers else ()
    fresh = replace(fresh, modifiers=had or fresh.modifiers, context=recipe.context)
    return with_words(replace(fresh, verb=recipe.verb, confined=recipe.confined), words_of(recipe))


def with_model(recipe: Recipe, model: str) -> Recipe:
    """The recipe for another model: what the person has not changed becomes usual for that one."""
    moved = replace(recipe, model=model)
    try:
        usual, other = (_usual_for(recipe, name) for name in (recipe.model, model))
    except EditorError:
        # A technique or model that is gone has no usual values.
        return moved
    params = {
        name: other.params[name] if usual.params.get(name) == value else value
        for name, value in recipe.params.items()
    }
    is_usual = recipe.modifiers == usual.modifiers
    return replace(moved, params=params, modifiers=(other if is_usual else recipe).modifiers)


def _usual_for(recipe: Recipe, model: str) -> Recipe:
    """The recipe of the same technique and words, with all that is usual for a model."""
    fresh = default_recipe(recipe.technique, model)
    return with_words(replace(fresh, verb=recipe.verb), words_of(recipe))


def _kept_steps(recipe: Recipe, kind: type[Any]) -> dict[str, Any]:
    """The steps of a recipe as a parameter of another technique, if it allows so many."""
    steps, field = value_of(recipe, Steps), field_marked(kind, Steps)
    if field is None or steps is None or not isinstance(field.marker, Range):
        return {}
    is_allowed = field.marker.low <= float(steps) <= field.marker.high
    return {field.name: steps} if is_allowed else {}


def _capabilities(model: str) -> frozenset[str]:
    """What a model can do; nothing for one that cannot be opened."""
    try:
        return capabilities_of(model)
    except ModelError:
        return frozenset()
