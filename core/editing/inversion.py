"""What inverters and prompt edits share: a picture's path through the levels, walked by branches.

An inverter climbs from a clean latent to noise and gives a Path. An edit then walks the path down
with several branches at once: row 0 is the source, the others are edits of it. How a branch moves
from level to level is the path's affair, for exact methods carry more than a latent.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from core.diffusion.guidance import guide_rows, rows_with_guidance
from core.diffusion.latent_masks import check_finite
from core.diffusion.model import Conditioning, Denoise, Level, Levels, Model, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

PathState = tuple["Tensor", ...]
"""What a path carries from level to level, each (branches, channels, height, width)."""

MIN_SIGNAL = 0.02
"""A level with less of the picture than this cannot be walked through and back."""


class InvertedPath(Protocol):
    """An inverted picture: ``levels`` from noisiest to cleanest, walked down step by step."""

    levels: Levels

    def begin(self, branches: int) -> PathState:
        """Every branch at the noisiest level."""
        ...

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        """From levels[i] to levels[i + 1]; also the clean latents that were seen.

        denoise takes and gives one row per branch.
        """
        ...

    def latent(self, state: PathState) -> "Tensor":
        """The branches' latents."""
        ...

    def negative_embeddings(self, i: int) -> Conditioning | None:
        """What stands against every prompt at step i in place of the negative prompt."""
        ...

    def prompt_embeddings(self, i: int, words: Conditioning) -> Conditioning:
        """The prompts (one row a branch) as the path wants them at step i."""
        ...


Inversion = Generator["Tensor", None, InvertedPath]
"""Yields the clean latent seen after each network call, returns the path."""


@dataclass(frozen=True)
class Source:
    """What an inverter gets: a clean latent (1, c, h, w), its words and how it will be edited.

    ``guidance`` is the scale of the edit to come. ``noise(role, step)`` is shaped like x0.
    """

    model: Model
    x0: "Tensor"
    words: Conditioning
    levels: Levels
    guidance: float
    negative: Conditioning
    noise: "Callable[[str, int], Tensor]"

    def denoiser(self, scale: float = 1.0) -> Denoise:
        """The network on the source's words, guided away from the negative prompt."""
        return Branches(self.model, self.words, (scale,), self.negative)

    @property
    def inversion_order(self) -> range:
        """Level indices in the order in which an inversion reaches them."""
        return range(len(self.levels) - 2, -1, -1)


class Branches:
    """A denoiser over several branches, each with words and a guidance scale of its own.

    One network evaluation shows rows 0 to n - 1 (every branch's words), then one row against each
    branch whose scale is not 1, in the order of ``guided``.
    """

    def __init__(
        self, model: Model, words: Conditioning, scales: Sequence[float], against: Conditioning
    ) -> None:
        self.model = model
        self.words = words
        self.scales = tuple(scales)
        self.against = against
        self.guided = rows_with_guidance(self.scales)

    def __len__(self) -> int:
        return len(self.scales)

    def uncond_row(self, branch: int) -> int | None:
        """The network's row that stands against a branch; None when it has no guidance."""
        return len(self) + self.guided.index(branch) if branch in self.guided else None

    def rows(self, branch: int) -> list[int]:
        """The network's rows of a branch: with its words, then against them where it is guided."""
        against = self.uncond_row(branch)
        return [branch] if against is None else [branch, against]

    def only(self, branch: int) -> "Branches":
        """One of the branches by itself."""
        words = select_rows(self.words, [branch])
        return Branches(self.model, words, [self.scales[branch]], self.against)

    def pair(
        self, z: "Tensor", level: Level, label: Level | None = None
    ) -> tuple[Prediction, Prediction]:
        """What is seen with the words (n rows) and against them (one row per guided branch)."""
        import torch

        n = len(self)
        shown = torch.cat([z, z[self.guided]]) if self.guided else z
        words = self.words
        if self.guided:
            words = words.concatenate(select_rows(self.against, [0] * len(self.guided)))
        seen = check_finite(self.model.denoiser(words))(shown, level, label)
        return Prediction(seen.x0[:n], seen.eps[:n]), Prediction(seen.x0[n:], seen.eps[n:])

    def __call__(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        return self.apply_guidance(*self.pair(z, level, label))

    def apply_guidance(self, towards: Prediction, against: Prediction) -> Prediction:
        """Both sides of a pair as one, every branch guided by its own scale."""
        return guide_rows(against, towards, self.scales)


def select_rows(words: Conditioning, rows: Sequence[int]) -> Conditioning:
    """Some rows of a conditioning, in the order given."""
    index = list(rows)
    pooled = None if words.pooled is None else words.pooled[index]
    prompts = tuple(words.prompts[row] for row in index)
    return replace(words, prompts=prompts, tokens=words.tokens[index], pooled=pooled)


def invertible_levels(levels: Levels) -> Levels:
    """The levels that hold some of the picture: pure noise leads nowhere back."""
    return tuple(level for level in levels if level.signal >= MIN_SIGNAL)


class ReplayPath:
    """The plain path: every branch takes the model's own (DDIM) steps from the same noise.

    ``opposed`` holds what stands against the prompts at every step, where the path says so.
    """

    def __init__(
        self, levels: Levels, latents: "Sequence[Tensor]", opposed: Sequence[Conditioning] = ()
    ) -> None:
        self.levels = levels
        self.latents = tuple(latents)
        self.opposed = tuple(opposed)

    def begin(self, branches: int) -> PathState:
        return (self.latents[0].repeat(branches, 1, 1, 1),)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        seen = denoise(state[0], self.levels[i])
        return (seen.at(self.levels[i + 1]),), seen.x0

    def latent(self, state: PathState) -> "Tensor":
        return state[0]

    def negative_embeddings(self, i: int) -> Conditioning | None:
        return self.opposed[i] if self.opposed else None

    def prompt_embeddings(self, i: int, words: Conditioning) -> Conditioning:
        return words


class DirectPath(ReplayPath):
    """The source row is put back on its own path after every step (Direct Inversion)."""

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        import torch

        (z,), x0 = super().step(i, state, denoise)
        return (torch.cat([self.latents[i + 1], z[1:]]),), x0


def ddim_invert(
    source: Source, denoise: Denoise | None = None
) -> "Generator[Tensor, None, list[Tensor]]":
    """DDIM inversion: the latents by level index; each call is told the level it leads to."""
    denoise, z = denoise or source.denoiser(), source.x0
    latents = [z]
    for i in source.inversion_order:
        seen = denoise(z, source.levels[i + 1], source.levels[i])
        z = seen.at(source.levels[i])
        latents.append(z)
        yield seen.x0
    return latents[::-1]
