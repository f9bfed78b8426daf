"""Another model for a recipe: what was usual becomes usual for it, what was typed stays."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import prompt_of
from core.ai.verb_recipes import with_model


@pytest.fixture
def flux(tmp_path: Path) -> str:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    return str(tmp_path)


def test_untouched_values_become_those_of_the_other_model(flux: str) -> None:
    moved = with_model(default_recipe("flowedit", "storybook", values={"prompt": "snow"}), flux)
    wanted = default_recipe("flowedit", flux, values={"prompt": "snow"})
    assert (moved.model, moved.params) == (flux, wanted.params)
    assert moved.params["guidance"] == 5.5


def test_typed_values_and_words_stay(flux: str) -> None:
    typed = default_recipe("flowedit", "storybook", values={"guidance": 9.0, "prompt": "snow"})
    moved = with_model(typed, flux)
    assert moved.params["guidance"] == 9.0
    assert moved.params["source_guidance"] == 1.5
    assert prompt_of(moved) == "snow"


def test_the_usual_guidance_follows_the_model_and_a_chosen_one_stays(flux: str) -> None:
    usual = default_recipe("sdedit", "storybook")
    assert with_model(usual, flux).modifiers[0].params["scale"] == 3.5
    mine = replace(usual.modifiers[0], params={**usual.modifiers[0].params, "scale": 6.0})
    assert with_model(replace(usual, modifiers=(mine,)), flux).modifiers == (mine,)


def test_a_model_that_is_gone_leaves_the_values_alone(flux: str) -> None:
    recipe = replace(default_recipe("flowedit", "storybook"), model="/gone/model")
    moved = with_model(recipe, flux)
    assert (moved.model, moved.params) == (flux, recipe.params)
