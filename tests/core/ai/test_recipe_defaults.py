"""A recipe starts with what technique and model are usually run with."""

import json
from pathlib import Path
from typing import Any

import pytest

from core import catalog
from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import prompt_of, value_of
from core.catalog import params_of, techniques
from core.errors import EditorError
from core.params import Guidance, GuidanceScale, SourceGuidance, fields
from core.task import ModifierSetting

catalog.load("techniques", "models")


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


@pytest.mark.parametrize("model", ["toy", "storybook", "some.safetensors", "sd3"])
def test_a_techniques_own_guidance_reaches_a_fresh_recipe(model: str, sd3: str) -> None:
    for technique in techniques:
        kind = params_of(technique)
        fresh = default_recipe(technique.id, sd3 if model == "sd3" else model).params
        for name in scales_of(kind):
            assert fresh[name] == getattr(kind(), name)


def scales_of(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if isinstance(field.marker, GuidanceScale)]


def test_published_scales_are_those_of_the_papers() -> None:
    wanted = {"invert-and-edit": 15.0, "flowedit": 13.5, "infedit": 2.3, "ledits++": 3.5}
    for technique, scale in wanted.items():
        assert value_of(default_recipe(technique, "some.safetensors"), Guidance) == scale


def test_a_network_that_embeds_its_guidance_replaces_every_scale(flux: str) -> None:
    """All at once: the two of FlowEdit are those published for FLUX, others are its usual one."""
    flowedit = default_recipe("flowedit", flux)
    assert (value_of(flowedit, Guidance), value_of(flowedit, SourceGuidance)) == (5.5, 1.5)
    assert value_of(default_recipe("rf-edit", flux), Guidance) == 5.0
    both = default_recipe("invert-and-edit", flux)
    assert value_of(both, Guidance) == value_of(both, SourceGuidance) == 3.5
    plain = default_recipe("text-to-image", flux)
    assert plain.modifiers[0].params["scale"] == 3.5


@pytest.fixture
def flux(tmp_path: Path) -> str:
    return folder(tmp_path, "FluxPipeline")


@pytest.fixture
def sd3(tmp_path: Path) -> str:
    return folder(tmp_path, "StableDiffusion3Pipeline")


def folder(path: Path, pipeline: str) -> str:
    """A checkpoint folder as far as a backend looks before it opens one."""
    (path / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return str(path)


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
