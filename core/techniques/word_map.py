"""Where words look: a grey picture of the attention maps of some words of a sentence."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import check_finite, grey_picture
from core.diffusion.model import Image, Level, Model, Step
from core.editing.attention_maps import (
    AttentionRecorder,
    LatentSize,
    latent_size,
    map_to_grid,
)
from core.editing.inversion import invertible_levels
from core.editing.token_alignment import token_indices
from core.params import Prompt, SourcePrompt, Steps, Switch

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

EARLY, LATE = 0.35, 0.85
"""The part of the walk whose maps tell things apart: before it they blur, after it show texture."""
FIT_EARLY, FIT_LATE = 0.1, 0.8
"""The part of the walk in which predictions with and without the words are compared."""
MIN_FIT = 0.15
"""Of 1: where the words explain nothing, attention alone still counts for this much."""


@techniques.register
class WordMap:
    """Show where words look in the picture, white for most (DAAM, arXiv 2210.04885).

    The picture is noised to several levels. The cross-attention maps of the words, from all
    layers, are resized to one size, averaged and stretched to the full range. Attention also goes
    to other things where those stand out; so the map may be weighted by how much better the
    sentence explains each part of the picture than no words do (as a diffusion classifier
    compares, arXiv 2303.16203).
    """

    id: ClassVar[str] = "word-map"
    label: ClassVar[str] = "Where words look"
    paper: ClassVar[Paper | None] = Paper("DAAM", "2210.04885")
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Words to find")] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows")] = ""
        steps: Annotated[int, Steps(1, 50, "Levels looked at")] = 8
        fit: Annotated[
            bool, Switch("Where they fit", help="Less where the words explain nothing.")
        ] = False

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        sentence = params.source_prompt if params.source_prompt.strip() else params.prompt
        pieces = model.pieces(sentence)
        found = token_indices(pieces, model.pieces(params.prompt))
        x0 = model.encode(task.image)
        size, total = latent_size(x0), params.steps * (2 if params.fit else 1)
        recorder = _token_recorder(found, size)
        denoise = check_finite(model.denoiser(sentence))
        for n, level in enumerate(_levels_spread(model, params.steps)):
            with model.attention(recorder):
                prediction = denoise(level.mix(x0, task.noise(x0, "look", n)), level)
            yield Step(n + 1, total, prediction.x0)
        mean = recorder.mean() if found else x0.new_zeros(1, 1, *size)
        if params.fit:
            fit = yield from _explained(task, model, x0, sentence)
            mean = (_stretch(mean).square() * _stretch(fit).clamp(min=MIN_FIT)).pow(1 / 3)
        return grey_picture(mean, task.image.shape[:2])


def _explained(
    task: "Task[WordMap.Params]", model: Model, x0: "Tensor", sentence: str
) -> Generator[Step, None, "Tensor"]:
    """How much nearer to the picture a sentence predicts each cell than no words do.

    x0: (1, c, h, w) float, unbounded. Returns (1, 1, h, w) float, non-negative.
    """
    count = task.params.steps
    denoise = check_finite(model.denoiser(model.embed(["", sentence])))
    gain = x0.new_zeros(1, 1, *latent_size(x0))
    for n, level in enumerate(_levels_spread(model, count, FIT_EARLY, FIT_LATE)):
        noisy = level.mix(x0, task.noise(x0, "look", n)).repeat(2, 1, 1, 1)
        predicted = denoise(noisy, level).x0
        error = (predicted - x0).square().mean(1, keepdim=True)
        gain = gain + error[:1] - error[1:]
        yield Step(count + n + 1, 2 * count, predicted[1:])
    return gain.clamp(min=0)


def _stretch(values: "Tensor") -> "Tensor":
    """Values of any shape, float, stretched to 0..1; equal ones become 0."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp(min=1e-9)


def _levels_spread(
    model: Model, count: int, early: float = EARLY, late: float = LATE
) -> list[Level]:
    """Levels spread over a part of the walk."""
    levels = invertible_levels(model.levels(50))[:-1]
    first, last = early * (len(levels) - 1), late * (len(levels) - 1)
    return [levels[round(first + (last - first) * (n + 0.5) / count)] for n in range(count)]


def _token_recorder(tokens: list[int], size: LatentSize) -> AttentionRecorder:
    """A control that collects where some tokens are: one map (1, 1, h, w) a layer, its mean 1."""
    from torch.nn.functional import interpolate

    def reduce(maps: "Tensor") -> "Tensor":
        grid = map_to_grid(maps[0][..., tokens].mean((0, 2)), size)[None, None]
        return interpolate(grid / grid.mean(), size, mode="bilinear")

    # Guidance puts the negative prompt first, so the sentence is the last row.
    return AttentionRecorder(rows=slice(-1, None) if tokens else slice(0), reduce=reduce)
