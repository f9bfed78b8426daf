"""The judge: a saved one is the same again, and says how good it is; prompts name their things."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.storybook.judge import JudgeConfig, build_judge, load_judge, save_judge
from core.storybook.sample import World, random_scene
from core.storybook.training.prompts import scene_prompt, thing_named, thing_prompt


def test_a_judge_survives_its_file(tmp_path: Path) -> None:
    judge = build_judge(JudgeConfig(("cat face", "star"), ("snow", "sea", "white"), width=16))
    wide = build_judge(JudgeConfig(("cat face", "star"), ("snow", "sea", "white")))
    save_judge(wide, tmp_path, {"thing": 0.5})
    loaded, accuracy = load_judge(tmp_path)
    assert accuracy == {"thing": 0.5}
    assert loaded.config.things == ("cat face", "star")
    verdict = judge(torch.randn(4, 16, 16, 16))
    assert verdict.things.shape == (4, 2)
    assert verdict.places.shape == (4, 3)


def test_a_missing_judge_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="judge"):
        load_judge(tmp_path)


def test_prompts_of_things_name_them() -> None:
    random = np.random.default_rng(0)
    for seed in range(60):
        scene = random_scene(seed, World.small())
        for index, item in enumerate(scene.items):
            assert thing_named(thing_prompt(random, scene, index)) == item.name
        if len(scene.items) == 1:
            assert thing_named(scene_prompt(random, scene)) == scene.items[0].name


def test_longer_names_win() -> None:
    assert thing_named("a palm tree in a meadow") == "palm tree"
    assert thing_named("nothing in the snow") == ""
