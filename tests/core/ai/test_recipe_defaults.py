"""A recipe starts with what technique and model are usually run with."""

import pytest

from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import prompt_of, value_of
from core.errors import EditorError
from core.task import ModifierSetting


def test_every_parameter_is_written_out() -> None:
    recipe = default_recipe("sdedit", "toy", 7, {"prompt": "snow"})
    assert prompt_of(recipe) == "snow"
    assert {"strength", "steps", "sampler"} <= set(recipe.params)
    assert (recipe.seed, recipe.modifiers) == (7, ())


def test_a_models_own_steps_and_guidance_are_taken() -> None:
    from core.models.storybook import StorybookBackend

    recipe = default_recipe("layered-brush", "storybook")
    usual = StorybookBackend.defaults
    assert {mark: value_of(recipe, mark) for mark in usual.params} == dict(usual.params)
    assert recipe.modifiers[0].params["scale"] == usual.guidance
    assert "depth" not in default_recipe("sdedit", "storybook").params


def test_what_is_asked_for_comes_first() -> None:
    other = ModifierSetting("cfg++", {"scale": 0.3})
    recipe = default_recipe("sdedit", "storybook", 0, {"steps": 5}, (other,))
    assert recipe.params["steps"] == 5
    assert recipe.modifiers == (other,)


def test_mistakes_are_named() -> None:
    with pytest.raises(EditorError, match="no technique called 'gone'"):
        default_recipe("gone", "toy")
    with pytest.raises(EditorError, match="Steps must lie between"):
        default_recipe("sdedit", "toy", 0, {"steps": 0})
