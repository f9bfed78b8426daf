"""Where words look: a grey picture of the attention that words of a sentence pay to a picture."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.latent_masks import check_finite, grey_picture
from core.diffusion.model import Image, Level, Model, Step
from core.editing.inversion import invertible_levels
from core.editing.token_alignment import token_indices
from core.params import Prompt, SourcePrompt, Steps

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

EARLY, LATE = 0.35, 0.85
"""The share of the walk whose maps tell things apart: before it all is haze, after it texture."""


@techniques.register
class WordMap:
    """Show where words look in the picture, white for most (DAAM, arXiv 2210.04885).

    The picture is noised to several levels; cross-attention maps of the words, from all layers,
    are brought to one size, averaged and stretched.
    """

    id: ClassVar[str] = "word-map"
    label: ClassVar[str] = "Where words look"
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    is_look: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Words to find")] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows")] = ""
        steps: Annotated[int, Steps(1, 50, "Levels looked at")] = 8

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        sentence = params.source_prompt if params.source_prompt.strip() else params.prompt
        pieces = model.pieces(sentence)
        found = token_indices(pieces, model.pieces(params.prompt))
        x0 = model.encode(task.image)
        looks = _PromptMaps(found, (x0.shape[-2], x0.shape[-1]))
        denoise = check_finite(model.denoiser(sentence))
        for n, level in enumerate(_levels_spread(model, params.steps)):
            with model.attention(looks):
                seen = denoise(level.mix(x0, task.noise(x0, "look", n)), level)
            yield Step(n + 1, params.steps, seen.x0)
        return grey_picture(looks.mean(), task.image.shape[:2])


def _levels_spread(model: Model, count: int) -> list[Level]:
    """Levels spread over the telling part of a walk."""
    levels = invertible_levels(model.levels(50))[:-1]
    first, last = EARLY * (len(levels) - 1), LATE * (len(levels) - 1)
    return [levels[round(first + (last - first) * (n + 0.5) / count)] for n in range(count)]


class _PromptMaps:
    """The control: adds up where the words look, in latent cells."""

    def __init__(self, words: list[int], cells: tuple[int, int]) -> None:
        self.words = words
        self.cells = cells
        self.seen: list[Tensor] = []

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        return query, key, value

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        if place.is_cross and self.words:
            self.seen.append(self._look(maps))
        return maps

    def _look(self, maps: "Tensor") -> "Tensor":
        """One layer's map (1, 1, h, w), its mean 1."""
        from torch.nn.functional import interpolate

        height, width = self.cells
        shrink = round((height * width / maps.shape[-2]) ** 0.5)
        # Guidance puts the negative prompt first, so the sentence is the last row.
        look = maps[-1][..., self.words].mean((0, 2))
        grid = look.view(1, 1, height // shrink, width // shrink)
        return interpolate(grid / grid.mean(), self.cells, mode="bilinear")

    def mean(self) -> "Tensor":
        """The mean over layers and levels; nothing anywhere when there are no such words."""
        import torch

        return torch.stack(self.seen).mean(0) if self.seen else torch.zeros(1, 1, *self.cells)
