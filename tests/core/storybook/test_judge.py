"""The judge: a saved one is the same again, with its accuracy; prompts name what they show."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.storybook.atlas import catalogue
from core.storybook.codec import CodecConfig, build_codec, fit_codec
from core.storybook.judge import JudgeConfig, build_judge, load_judge, save_judge
from core.storybook.sample import World, random_scene
from core.storybook.scene import STYLE_WORDS, Item, Scene, name_in_colour
from core.storybook.training import judging, pack
from core.storybook.training.configs import CONFIGS
from core.storybook.training.prompts import scene_prompt, thing_prompt

STYLES = ("clay", "flat")


def test_a_judge_survives_its_file(tmp_path: Path) -> None:
    judge = build_judge(
        JudgeConfig(("cat face", "star"), ("snow", "sea", "white"), STYLES, width=16)
    )
    wide = build_judge(JudgeConfig(("cat face", "star"), ("snow", "sea", "white"), STYLES))
    save_judge(wide, tmp_path, {"thing": 0.5})
    loaded, accuracy = load_judge(tmp_path)
    assert accuracy == {"thing": 0.5}
    assert loaded.config.things == ("cat face", "star")
    assert loaded.config.styles == STYLES
    verdict = judge(torch.randn(4, 16, 16, 16))
    assert verdict.things.shape == (4, 2)
    assert verdict.places.shape == (4, 3)
    assert verdict.styles.shape == (4, 2)


def test_a_missing_judge_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="judge"):
        load_judge(tmp_path)


def test_prompts_say_what_a_scene_shows() -> None:
    random = np.random.default_rng(0)
    for seed in range(60):
        scene = random_scene(seed, World.small())
        for index, item in enumerate(scene.items):
            prompts = thing_prompt(random, scene, index), scene_prompt(random, scene)
            known = catalogue()[item.name].names
            for prompt in prompts:
                assert any(name_in_colour(name, item.colour) in prompt for name in known)
                assert item.style == "clay" or f", {STYLE_WORDS[item.style]}" in prompt


def test_sides_are_said_of_single_things_only() -> None:
    random = np.random.default_rng(0)
    left = Item("star", x=0.2)
    one, two = Scene((left,)), Scene((left, Item("sun", x=0.8)))
    assert {scene_prompt(random, one).endswith(", on the left") for _ in range(20)} == {True, False}
    assert not any("on the" in scene_prompt(random, two) for _ in range(20))


def test_another_colour_takes_the_place_of_its_own() -> None:
    assert name_in_colour("red apple", "blue") == "blue apple"
    assert name_in_colour("cat face", "pink") == "pink cat face"
    assert name_in_colour("orange", "green") == "green orange"
    assert name_in_colour("red apple", None) == "red apple"


def test_labels_of_a_shard_are_what_its_scenes_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "SHARD", 12)
    monkeypatch.setattr(judging, "SHARD", 12)
    world = World.small()
    codec = build_codec(CodecConfig(blocks=(1, 1, 1)))
    fit_codec(codec, np.stack([pack.make_example(seed, world).image for seed in range(8)]))
    pack.write_shard(tmp_path, 1, CONFIGS["small"], codec)
    data = judging.label_shard(tmp_path / "shard-001.npz", world)
    for row, seed in enumerate(range(12, 24)):
        shown = pack.make_example(seed, world).things
        assert {world.things[i] for i in data.things[row].nonzero()[:, 0].tolist()} == set(shown)
        scene = random_scene(seed, world)
        assert world.places[int(data.places[row])] == scene.place
        if shown:
            assert world.styles[int(data.styles[row])] == scene.items[0].style
        else:
            assert int(data.styles[row]) == judging.UNSEEN
