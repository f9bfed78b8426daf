"""The evaluation: gives the right numbers, and distinguishes repeated training pictures from new ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.storybook.training import evaluate
from core.storybook.codec import CodecConfig, build_codec, fit_codec, save_codec
from core.storybook.judge import JudgeConfig, build_judge, save_judge
from core.storybook.layout import write_layout
from core.storybook.random_model import TINY, build_random
from core.storybook.sample import World
from core.storybook.training.pack import make_example

WORLD = World(("star", "sun", "house"), ("sea", "white"), ("clay", "flat"))


@pytest.fixture
def model(tmp_path: Path) -> evaluate.Evaluation:
    """A random network with a fitted codec and an untrained judge that knows more than it."""
    build_random(tmp_path)
    codec = build_codec(CodecConfig(blocks=(1, 1, 1)))
    fit_codec(codec, np.stack([make_example(seed, WORLD).image for seed in range(8)]))
    save_codec(codec, tmp_path)
    judged = JudgeConfig(("sun", "star", "cat face", "house"), ("white", "sea"), ("flat", "clay"))
    save_judge(build_judge(judged), tmp_path, {"thing": 1.0})
    names = {"objects": WORLD.things, "backgrounds": WORLD.places, "styles": WORLD.styles}
    write_layout(tmp_path, TINY, names)
    return evaluate.Evaluation(tmp_path)


def test_prompts_say_what_is_wanted(model: evaluate.Evaluation) -> None:
    wanted = [*model.single_prompts(2), *model.pair_prompts(6)]
    assert len(wanted) == 2 * 3 + 6
    for one in wanted:
        assert all(WORLD.things[number] in one.prompt for number in one.things)
        assert ("flat" in one.prompt) == (WORLD.styles[one.style] == "flat")


def test_verdicts_use_the_models_own_numbers(
    model: evaluate.Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.storybook.judge import Verdict

    def judged(z: torch.Tensor) -> Verdict:
        things = torch.tensor([[0.0, 5.0, 9.0, 1.0]]).expand(len(z), 4)
        return Verdict(things, torch.tensor([[0.0, 1.0]]), torch.tensor([[3.0, 1.0]]))

    monkeypatch.setattr(model.judge, "forward", judged)
    things, places, styles = model.verdicts(torch.zeros(1, 3, 128, 128), 2)
    assert things.tolist() == [[-1, 0]]
    assert places.tolist() == [0]
    assert styles.tolist() == [1]


def test_a_model_that_repeats_its_training_pictures_is_found_out(
    model: evaluate.Evaluation,
) -> None:
    known = np.stack([make_example(seed, WORLD).image for seed in range(4)])
    found = model.memory(torch.from_numpy(known).permute(0, 3, 1, 2) / 255, 6)
    assert found["painted"] > 60
    assert found["unseen"] < 40
