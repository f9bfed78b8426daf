"""Files and models that a recipe names: when a layer is stale, and when it had better wait."""

import os
from pathlib import Path

from core.ai import layer as ai
from core.ai.recipe_inputs import has_all_inputs, input_models, input_stamps
from core.geometry import Rect
from core.paint.layers import AiLayer
from core.task import Recipe
from tests.core.ai.conftest import document, region


def recipe(model: str, technique: str = "superdiff") -> Recipe:
    return Recipe(technique, {"prompt": "red", "second_model": model}, "toy")


def folder(home: Path) -> Path:
    """A folder that resembles a model's folder."""
    (home / "unet").mkdir(parents=True)
    (home / "model.json").write_text("{}")
    (home / "unet" / "weights.safetensors").write_bytes(b"weights")
    return home


def test_models_are_those_that_are_named() -> None:
    named = recipe("/models/oil")
    assert [(field.label, name) for field, name in input_models(named)] == [
        ("Second model", "/models/oil")
    ]
    for nothing in (recipe(""), recipe("/models/oil", "sdedit"), recipe("/models/oil", "unknown")):
        assert list(input_models(nothing)) == []
        assert input_stamps(nothing) == ""
        assert has_all_inputs(nothing)


def test_a_model_with_an_id_is_always_there(tmp_path: Path) -> None:
    assert has_all_inputs(recipe("storybook"))
    assert input_stamps(recipe("storybook")) != input_stamps(recipe("toy"))


def test_weights_that_were_exchanged_are_noticed(tmp_path: Path) -> None:
    home = folder(tmp_path / "oil")
    named, before = recipe(str(home)), input_stamps(recipe(str(home)))
    (home / "notes.txt").write_text("nothing that a model is made of")
    assert input_stamps(named) == before
    os.utime(home / "unet" / "weights.safetensors", ns=(0, 0))
    assert input_stamps(named) != before
    single = home / "unet" / "weights.safetensors"
    before = input_stamps(recipe(str(single)))
    single.write_bytes(b"other weights")
    assert input_stamps(recipe(str(single))) != before


def test_a_layer_is_stale_with_other_weights_and_waits_while_they_are_gone(tmp_path: Path) -> None:
    home, made = folder(tmp_path / "oil"), document()
    layer = AiLayer("Edit", recipe=recipe(str(home)), region=region(Rect(120, 90, 60, 60)))
    made.insert("AI", layer)
    assert ai.stale_key(made, layer)
    home.rename(tmp_path / "moved")
    assert not has_all_inputs(recipe(str(home)))
    assert not ai.stale_key(made, layer)
    (tmp_path / "moved").rename(home)
    key = ai.result_key(made, layer)
    os.utime(home / "model.json", ns=(0, 0))
    assert ai.result_key(made, layer) != key


def test_nonsense_names_are_not_there() -> None:
    for odd in ("/odd\0name", "/" + "x" * 300):
        assert not has_all_inputs(recipe(odd))
