"""Describes a Storybook picture with the judge of that world."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from core.ai.crop import Geometry, scale_to_model
from core.catalog import describers
from core.storybook.codec import load_codec
from core.storybook.judge import WEIGHTS, JudgeConfig, Verdict, load_judge
from core.storybook.layout import FOLDER, read_layout
from core.storybook.scene import USUAL_STYLE, Item, Scene

if TYPE_CHECKING:
    from torch import Tensor

    from core.paint.tiles import Pixels

MAX_THINGS = 2
"""Things in one sentence: Storybook's own scenes rarely hold more."""
CERTAIN_LOGIT, LIKELY_LOGIT = 4.5, 2.0
"""Logits: one thing must reach the first, which photographs never do; further ones the second."""


@describers.register
class StorybookDescriber:
    """Names things, place and style of a picture of Storybook's world, and nothing else."""

    id: ClassVar[str] = "storybook"
    label: ClassVar[str] = "Storybook's judge"
    worlds: ClassVar[frozenset[str]] = frozenset({"storybook"})

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @staticmethod
    def why_unavailable() -> str:
        if (FOLDER / WEIGHTS).is_file():
            return ""
        return "The Storybook judge is missing from resources/models/storybook."

    def describe(self, pixels: "Pixels") -> str:
        """Name what a picture (height x width x 3 uint8, 0..255) shows; empty when unsure."""
        judge, _ = load_judge(self.folder)
        return describe_verdict(judge(self._latent(pixels)), judge.config)

    def _latent(self, pixels: "Pixels") -> "Tensor":
        """The picture's latent at about the model's size, the aspect kept."""
        import torch

        layout, codec = read_layout(self.folder), load_codec(self.folder)
        image = scale_to_model(pixels, Geometry(layout.image_size, layout.factor))
        latent: Tensor = codec.encode(torch.from_numpy(image.transpose(2, 0, 1).copy())[None])
        return latent


def describe_verdict(verdict: Verdict, known: JudgeConfig) -> str:
    """Put a verdict into the words of Storybook's prompts; empty when no thing is certain."""
    logits, numbers = verdict.things[0].topk(min(MAX_THINGS, len(known.things)))
    if logits[0] <= CERTAIN_LOGIT:
        return ""
    names = [
        known.things[i] for i, logit in zip(numbers, logits, strict=True) if logit > LIKELY_LOGIT
    ]
    place, style = known.places[verdict.places.argmax()], known.styles[verdict.styles.argmax()]
    scene = Scene(tuple(Item(name, style=style) for name in names), place)
    return scene.prompt(with_style=style != USUAL_STYLE)
