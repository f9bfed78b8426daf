"""What inverters and prompt edits share: a picture's path through the levels, walked by branches.

An inverter traces a clean latent back to noise and returns an InvertedPath. An edit then walks the
path down with several branches at once: row 0 is the source, the others are edits of it. The path
decides how a branch moves from level to level, since exact methods carry more than a latent.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from core.diffusion.guidance import EMBEDDED_GUIDANCE, guide_rows, rows_with_guidance
from core.diffusion.latent_masks import check_finite
from core.diffusion.model import Conditioning, Denoise, Level, Levels, Model, Prediction
from core.diffusion.noise_schedule import drop_coinciding_levels
from core.diffusion.rectified_flow import is_rectified_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

PathState = tuple["Tensor", ...]
"""What a path carries from level to level, each (branches, c, h, w) float, unbounded."""

MIN_SIGNAL = 0.02
"""A level with less of the picture than this cannot be walked through and back."""


class InvertedPath(Protocol):
    """An inverted picture: ``levels`` from noisiest to cleanest, walked down step by step."""

    levels: Levels

    def begin(self, branches: int) -> PathState:
        """Every branch at the noisiest level, (branches, c, h, w) float, unbounded."""
        ...

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        """From levels[i] to levels[i + 1]; also the clean latents predicted.

        Both are (branches, c, h, w) float, unbounded. denoise takes and returns one row per branch.
        """
        ...

    def latent(self, state: PathState) -> "Tensor":
        """The branches' latents, (branches, c, h, w) float, unbounded."""
        ...

    def negative_embeddings(self, i: int) -> Conditioning | None:
        """What replaces the negative prompt at step i: tokens (1, length, width) float, unbounded.

        None where the negative prompt stays.
        """
        ...

    def prompt_embeddings(self, i: int, embeddings: Conditioning) -> Conditioning:
        """The prompt embeddings for step i: tokens (branches, length, width) float, unbounded."""
        ...


Inversion = Generator["Tensor", None, InvertedPath]
"""Yields the clean latent predicted by each network call, returns the path."""


@dataclass(frozen=True)
class Source:
    """What an inverter gets: a clean latent, its prompt embeddings and how it will be edited.

    x0: (1, c, h, w) float, unbounded; ``noise(role, step)`` is shaped like it, standard normal.
    ``guidance`` is the scale of the edit to come.
    """

    model: Model
    x0: "Tensor"
    embeddings: Conditioning
    levels: Levels
    guidance: float
    negative: Conditioning
    noise: "Callable[[str, int], Tensor]"

    def denoiser(self, scale: float = 1.0) -> Denoise:
        """The network with the source's embeddings, guided away from the negative prompt."""
        return Branches(self.model, self.embeddings, (scale,), self.negative)

    @property
    def inversion_order(self) -> range:
        """Level indices in the order in which an inversion reaches them."""
        return range(len(self.levels) - 2, -1, -1)


class Branches:
    """A denoiser over several branches, each with embeddings and a guidance scale of its own.

    One network evaluation has rows 0 to n - 1, conditional, one for each branch, then one
    unconditional row for each branch whose scale is not 1, in the order of ``guided``. A network
    that embeds its guidance reads each branch's scale instead and needs no unconditional rows.
    """

    def __init__(
        self,
        model: Model,
        embeddings: Conditioning,
        scales: Sequence[float],
        negative: Conditioning,
    ) -> None:
        self.model = model
        self.embeddings = embeddings
        self.scales = tuple(scales)
        self.negative = negative
        self.is_embedded = EMBEDDED_GUIDANCE in model.capabilities
        self.guided = [] if self.is_embedded else rows_with_guidance(self.scales)

    def __len__(self) -> int:
        return len(self.scales)

    def uncond_row(self, branch: int) -> int | None:
        """The network's unconditional row of a branch; None when it has no guidance."""
        return len(self) + self.guided.index(branch) if branch in self.guided else None

    def rows(self, branch: int) -> list[int]:
        """The network's rows of a branch: conditional, then unconditional where it is guided."""
        uncond = self.uncond_row(branch)
        return [branch] if uncond is None else [branch, uncond]

    def only(self, branch: int) -> "Branches":
        """A denoiser of one of the branches alone."""
        embeddings = select_rows(self.embeddings, [branch])
        return Branches(self.model, embeddings, [self.scales[branch]], self.negative)

    def pair(
        self, z: "Tensor", level: Level, label: Level | None = None
    ) -> tuple[Prediction, Prediction]:
        """The conditional prediction and the unconditional one, which has a row per guided branch.

        z: (branches, c, h, w) float, unbounded. Raises ModelError for values that are no numbers.
        """
        import torch

        n = len(self)
        shown = torch.cat([z, z[self.guided]]) if self.guided else z
        embeddings = self.embeddings
        if self.is_embedded:
            embeddings = replace(embeddings, guidance=self.scales)
        if self.guided:
            embeddings = embeddings.concatenate(select_rows(self.negative, [0] * len(self.guided)))
        x0, eps = check_finite(self.model.denoiser(embeddings))(shown, level, label)
        return Prediction(x0[:n], eps[:n]), Prediction(x0[n:], eps[n:])

    def __call__(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        return self.apply_guidance(*self.pair(z, level, label))

    def apply_guidance(self, cond: Prediction, uncond: Prediction) -> Prediction:
        """Both sides of a pair as one, every branch guided by its own scale.

        cond: (branches, c, h, w) float, unbounded; returns the same.
        """
        return cond if self.is_embedded else guide_rows(uncond, cond, self.scales)


def select_rows(embeddings: Conditioning, rows: Sequence[int]) -> Conditioning:
    """Some rows of embeddings in the order given, tokens (rows, length, width) float, unbounded."""
    index = list(rows)
    pooled = None if embeddings.pooled is None else embeddings.pooled[index]
    prompts = tuple(embeddings.prompts[row] for row in index)
    guidance = tuple(embeddings.scales()[row] for row in index)
    return Conditioning(prompts, embeddings.tokens[index], pooled, guidance)


def invertible_levels(levels: Levels) -> Levels:
    """The levels that can be walked up and down, no two alike.

    From pure noise no way leads back for a network that predicts noise, nor is a clean picture
    found in it; such levels are left out. A rectified flow is walked whole, as published: its
    velocity is known at pure noise too.
    """
    different = drop_coinciding_levels(levels)
    return different if is_rectified_flow(different) else levels_with_signal(different)


def levels_with_signal(levels: Levels) -> Levels:
    """The levels that hold some of the picture."""
    return tuple(level for level in levels if level.signal >= MIN_SIGNAL)


class ReplayPath:
    """The plain path: every branch takes the model's own (DDIM) steps from the same noise.

    ``negatives`` replace the negative prompt, one for each step; without any it stays.
    """

    def __init__(
        self, levels: Levels, latents: "Sequence[Tensor]", negatives: Sequence[Conditioning] = ()
    ) -> None:
        self.levels = levels
        self.latents = tuple(latents)
        self.negatives = tuple(negatives)

    def begin(self, branches: int) -> PathState:
        return (self.latents[0].repeat(branches, 1, 1, 1),)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        prediction = denoise(state[0], self.levels[i])
        return (prediction.at(self.levels[i + 1]),), prediction.x0

    def latent(self, state: PathState) -> "Tensor":
        return state[0]

    def negative_embeddings(self, i: int) -> Conditioning | None:
        return self.negatives[i] if self.negatives else None

    def prompt_embeddings(self, i: int, embeddings: Conditioning) -> Conditioning:
        return embeddings


class DirectPath(ReplayPath):
    """The source row is put back on its own path after every step (Direct Inversion)."""

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        import torch

        (z,), x0 = super().step(i, state, denoise)
        return (torch.cat([self.latents[i + 1], z[1:]]),), x0


def ddim_invert(
    source: Source, denoise: Denoise | None = None
) -> "Generator[Tensor, None, list[Tensor]]":
    """DDIM inversion: the latents by level index; the label of a call is the level it leads to.

    Yields the clean latents predicted; all are (1, c, h, w) float, unbounded.
    """
    denoise, z = denoise or source.denoiser(), source.x0
    latents = [z]
    for i in source.inversion_order:
        prediction = denoise(z, source.levels[i + 1], source.levels[i])
        z = prediction.at(source.levels[i])
        latents.append(z)
        yield prediction.x0
    return latents[::-1]
