"""What the parameters of a recipe mean, found by their markers: prompts, strength, guidance."""

from typing import TYPE_CHECKING, Any

from core.catalog import modifiers, params_of, techniques
from core.params import (
    Depth,
    Meaning,
    NegativePrompt,
    Prompt,
    SourcePrompt,
    Strength,
    Value,
    field_marked,
)

if TYPE_CHECKING:
    from core.registry import Registry
    from core.task import ModifierSetting, Recipe


def name_of(recipe: "Recipe", meaning: Meaning) -> str | None:
    """What the recipe's technique calls the parameter with a marker; None if it has none.

    Of a technique that is not installed, what such a parameter is usually called.
    """
    return _name(techniques, recipe.technique, meaning)


def value_of(recipe: "Recipe", meaning: Meaning) -> Value | None:
    """The value of the parameter with a marker; None if the recipe has none."""
    name = name_of(recipe, meaning)
    return None if name is None else recipe.params.get(name)


def prompt_of(recipe: "Recipe") -> str:
    """The prompt, empty if the recipe has none."""
    return _text(value_of(recipe, Prompt))


def source_prompt_of(recipe: "Recipe") -> str:
    """What the picture shows by the recipe, empty if it does not say."""
    kept = recipe.words.get(SourcePrompt.usual_name)
    return _text(value_of(recipe, SourcePrompt)) if kept is None else kept


def negative_prompt_of(recipe: "Recipe") -> str | None:
    """The negative prompt of the technique or else of a modifier; None if none has one."""
    found = value_of(recipe, NegativePrompt)
    if found is not None:
        return str(found)
    for one in recipe.modifiers:
        name = negative_name_of(one)
        if name is not None and name in one.params:
            return str(one.params[name])
    return None


def negative_name_of(modifier: "ModifierSetting") -> str | None:
    """What a modifier calls its negative prompt; None if it has none."""
    return _name(modifiers, modifier.id, NegativePrompt)


def starts_from_picture(recipe: "Recipe") -> bool:
    """Whether the technique changes what is there: it has a strength, depth or source prompt."""
    return any(name_of(recipe, meaning) for meaning in (Strength, Depth, SourcePrompt))


def strength_of(recipe: "Recipe") -> float:
    """The strength, 1 if the recipe has none."""
    found = value_of(recipe, Strength)
    return 1.0 if found is None else float(found)


def _name(registry: "Registry[Any]", kind: str, meaning: Meaning) -> str | None:
    if kind not in registry:
        return meaning.usual_name
    field = field_marked(params_of(registry[kind]), meaning)
    return None if field is None else field.name


def _text(value: Value | None) -> str:
    return "" if value is None else str(value)
