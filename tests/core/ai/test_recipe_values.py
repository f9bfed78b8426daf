"""What a recipe says is found by markers; of a technique that is not installed, by usual names."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from core import catalog
from core.ai.recipe_values import (
    name_of,
    negative_prompt_of,
    prompt_of,
    source_prompt_of,
    strength_of,
    value_of,
)
from core.params import Depth, NegativePrompt, Prompt, Strength, Text
from core.task import ModifierSetting, Recipe


@dataclass(frozen=True)
class Params:
    goal: Annotated[str, Prompt("Goal")] = ""
    prompt: Annotated[str, Text("Not the prompt")] = ""
    amount: Annotated[float, Strength(0, 1)] = 1.0


@pytest.fixture(autouse=True)
def _renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A technique that calls its parameters by other names."""
    catalog.load("techniques", "modifiers")
    renamed: Any = type("Renamed", (), {"id": "renamed", "label": "Renamed", "Params": Params})
    items = {**catalog.techniques._items, "renamed": renamed}
    monkeypatch.setattr(catalog.techniques, "_items", items)


def test_other_names_mean_the_same() -> None:
    recipe = Recipe("renamed", {"goal": "a cat", "prompt": "none", "amount": 0.3})
    assert (prompt_of(recipe), strength_of(recipe)) == ("a cat", 0.3)
    assert (name_of(recipe, Prompt), name_of(recipe, NegativePrompt)) == ("goal", None)
    assert negative_prompt_of(recipe) is None


def test_a_technique_that_is_not_installed_is_read_by_usual_names() -> None:
    recipe = Recipe("gone", {"prompt": "a cat", "source_prompt": "a dog", "strength": 0.3})
    assert (prompt_of(recipe), source_prompt_of(recipe)) == ("a cat", "a dog")
    assert strength_of(recipe) == 0.3
    assert value_of(recipe, Depth) is None


def test_what_a_recipe_does_not_say_is_empty_or_whole() -> None:
    recipe = Recipe("sdedit")
    assert (prompt_of(recipe), source_prompt_of(recipe), strength_of(recipe)) == ("", "", 1.0)


def test_the_negative_prompt_of_a_modifier_counts_where_the_technique_has_none() -> None:
    guided = (ModifierSetting("freeu"), ModifierSetting("cfg", {"negative_prompt": "fog"}))
    assert negative_prompt_of(Recipe("sdedit", {}, "toy", guided)) == "fog"
    assert negative_prompt_of(Recipe("dds", {"negative_prompt": ""}, "toy", guided)) == ""
