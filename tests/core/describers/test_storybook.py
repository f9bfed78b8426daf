"""The judge's verdict as a sentence: likely things only, their place, and a style worth naming."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.describers.storybook import StorybookDescriber, describe_verdict
from core.errors import ModelError
from core.storybook.codec import CodecConfig, build_codec, save_codec
from core.storybook.judge import JudgeConfig, Verdict, build_judge, save_judge
from core.storybook.layout import Layout, write_layout

KNOWN = JudgeConfig(("apple", "cat face", "sun"), ("snow", "meadow"), ("clay", "flat"))
PICTURE = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)


def verdict(things: list[float], style: int = 1) -> Verdict:
    styles = torch.nn.functional.one_hot(torch.tensor([style]), 2).float()
    return Verdict(torch.tensor([things]), torch.tensor([[0.0, 1.0]]), styles)


@pytest.mark.parametrize(
    ("things", "style", "sentence"),
    [
        ([-3.0, 6.0, 3.0], 1, "a cat face and a sun in a meadow, flat"),
        ([-3.0, 6.0, 3.0], 0, "a cat face and a sun in a meadow"),
        ([6.0, 1.9, -1.0], 1, "an apple in a meadow, flat"),
        ([2.5, 3.0, 5.0], 0, "a sun and a cat face in a meadow"),
        ([4.4, 4.0, -3.0], 1, ""),
    ],
)
def test_a_verdict_in_words(things: list[float], style: int, sentence: str) -> None:
    assert describe_verdict(verdict(things, style), KNOWN) == sentence


def test_a_judge_of_one_thing_has_one_to_name() -> None:
    single = JudgeConfig(("apple",), ("snow", "meadow"), ("clay", "flat"))
    assert describe_verdict(verdict([9.0]), single) == "an apple in a meadow, flat"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose judge sees a sun in the snow in whatever it is shown."""
    write_layout(tmp_path, Layout(), {})
    save_codec(build_codec(CodecConfig(widths=(16, 8, 8), blocks=(1, 1, 1))), tmp_path)
    judge = build_judge(KNOWN)
    with torch.no_grad():
        for head, bias in (
            (judge.thing, [-20.0, -20.0, 20.0]),
            (judge.place, [1.0, 0.0]),
            (judge.style, [0.0, 1.0]),
        ):
            head.weight.zero_()
            head.bias.copy_(torch.tensor(bias))
    save_judge(judge, tmp_path, {})
    return tmp_path


def test_a_picture_of_any_shape_is_described(folder: Path) -> None:
    for picture in (PICTURE, PICTURE[:7, :9], np.repeat(PICTURE, 5, axis=1)):
        assert StorybookDescriber(folder).describe(picture) == "a sun in the snow, flat"


def test_broken_files_are_one_sentence(folder: Path) -> None:
    (folder / "judge.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="The Storybook judge in .* cannot be read"):
        StorybookDescriber(folder).describe(PICTURE)
