"""A run without a window: recipes that outlive the folder in which they were made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.ai.recipe_values import source_prompt_of
from core.errors import EditorError, FileError
from core.formats.opening import open_document
from core.headless import run_file
from core.headless.run_file import RunOrder, parse_modifier, prepare_document, run_order
from core.paint.layers import AiLayer
from core.storybook.random_model import build_random
from tests.core import relatives
from tests.core.headless.test_cli import picture


def named(model: str, home: Path) -> Any:
    """What a recipe made in a folder calls its second model."""
    order = RunOrder("superdiff", picture(home / "in.png"), home / "out.png", model="toy")
    values = {"prompt": "red", "second_model": model}
    _, layer = prepare_document(RunOrder(**{**vars(order), "params": values}))
    return layer.recipe.params["second_model"]


def test_a_model_in_this_folder_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("oil", "toy"):
        (tmp_path / name).mkdir()
    assert named("oil", tmp_path) == str(tmp_path / "oil")
    assert named(str(tmp_path / "oil"), tmp_path) == str(tmp_path / "oil")
    assert named("toy", tmp_path) == "toy"
    assert named("elsewhere/gone", tmp_path) == "elsewhere/gone"
    assert named("", tmp_path) == ""


def test_two_models_are_blended_from_file_to_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = relatives.folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    values = {"prompt": "a cat", "second_model": "two", "steps": "4"}
    given = picture(tmp_path / "in.png", 64, 64)
    lines: list[str] = []
    order = RunOrder("superdiff", given, tmp_path / "out.png", params=values, model=str(one))
    facts = run_order(order, lines.append)
    assert f"Loading {two}" in lines
    assert facts["calls"] == 2 * 3
    assert (tmp_path / "out.png").is_file()


def test_commas_in_a_text_belong_to_it() -> None:
    text = "cfg:scale=5,negative_prompt=blurry, ugly, low quality"
    found = parse_modifier(text)
    assert found.params == {"scale": 5.0, "negative_prompt": "blurry, ugly, low quality"}
    assert parse_modifier("cfg:negative_prompt=a, b,scale=3").params["scale"] == 3.0


def test_a_missing_folder_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_file, "Engine", lambda *_: pytest.fail("the work had begun"))
    order = RunOrder(
        "sdedit", picture(tmp_path / "in.png"), tmp_path / "gone" / "out.png", model="toy"
    )
    with pytest.raises(FileError, match="does not exist"):
        run_order(order)


def test_a_verb_chooses_its_technique_and_stays_in_its_mask(tmp_path: Path) -> None:
    given = picture(tmp_path / "in.png", 64, 64)
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[20:44, 20:44] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    order = RunOrder("remove", given, tmp_path / "out.png", tmp_path / "mask.png", model="toy")
    run_order(order)
    before, after = (np.asarray(Image.open(one).convert("RGB")) for one in (given, order.out))
    changed = (before != after).any(axis=2)
    assert changed.any()
    assert not changed[mask[..., 0] == 0].any()


def test_the_words_of_a_verb_are_taken_where_they_belong(tmp_path: Path) -> None:
    words = {"source_prompt": "a tree", "prompt": "a mushroom", "strength": "0.9"}
    order = RunOrder("replace", picture(tmp_path / "in.png"), tmp_path / "out.png", params=words)
    _, layer = prepare_document(order)
    assert layer.recipe.params["prompt"] == "a mushroom"
    assert layer.recipe.params["strength"] == 0.9
    assert source_prompt_of(layer.recipe) == "a tree"
    assert (layer.recipe.verb, layer.recipe.confined) == ("replace", False)
    with pytest.raises(EditorError, match="no technique called 'repaint'"):
        prepare_document(replace(order, technique="repaint"))


def test_without_a_mask_words_name_the_region(tmp_path: Path) -> None:
    model = str(build_random(tmp_path / "model"))
    words = {"source_prompt": "a tree"}
    given = picture(tmp_path / "in.png", 64, 64)
    lines: list[str] = []
    order = RunOrder("remove", given, tmp_path / "out.ora", params=words, model=model)
    run_order(order, lines.append)
    assert "Looking for what is there" in lines
    layer = open_document(order.out).root.children[-1]
    assert isinstance(layer, AiLayer)
    assert layer.region.tight_bounds().area < 64 * 64
