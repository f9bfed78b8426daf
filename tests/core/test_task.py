"""Recipes as JSON: versions, and a key that stays what it was."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core import task
from core.errors import EditorError, VersionError
from core.geometry import Rect
from core.task import ModifierSetting, Recipe
from core.versions.schema import Schema

UNVERSIONED = """{"technique": "sdedit", "params": {"prompt": "a cat", "strength": 0.5},
"model": "storybook", "modifiers": [{"id": "cfg", "params": {"scale": 7.5}}], "seed": 9,
"context": [1, 2, 3, 4], "model_hash": "abc"}"""
RECIPE = Recipe(
    "sdedit",
    {"prompt": "a cat", "strength": 0.5},
    modifiers=(ModifierSetting("cfg", {"scale": 7.5}),),
    seed=9,
    context=Rect(1, 2, 3, 4),
    model_hash="abc",
)


def test_a_recipe_without_a_version_is_read() -> None:
    assert Recipe.from_json(json.loads(UNVERSIONED)) == RECIPE


def test_a_recipe_comes_back_and_names_its_version() -> None:
    data = json.loads(json.dumps(RECIPE.to_json()))
    assert data["version"] == 1
    assert Recipe.from_json(data) == RECIPE


def test_keys_are_those_of_results_made_before_recipes_had_versions() -> None:
    assert RECIPE.key == "6c9f655d1f23c888846e6832e5044dd1"
    assert Recipe("layered-brush").key == "9b113c7c6c43f3d76f18ad64ecbbad22"
    assert replace(RECIPE, model_hash="other").key == RECIPE.key


def test_an_older_recipe_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "technique": data["method"]}

    monkeypatch.setattr(task, "RECIPE_SCHEMA", Schema("recipe", (rename,)))
    assert Recipe.from_json({"method": "sdedit"}) == Recipe("sdedit")
    assert Recipe.from_json({"version": 2, "technique": "sdedit"}) == Recipe("sdedit")
    with pytest.raises(EditorError, match="brought up to date"):
        Recipe.from_json({"technique": "sdedit"})


def test_a_newer_recipe_is_refused_in_one_sentence() -> None:
    with pytest.raises(VersionError, match="recipe is of version 2") as caught:
        Recipe.from_json({"version": 2, **json.loads(UNVERSIONED)})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [{}, 3, None, [], {"technique": "sdedit", "seed": "x"}])
def test_what_is_no_recipe_is_an_error(data: Any) -> None:
    with pytest.raises(EditorError, match="cannot be read"):
        Recipe.from_json(data)
