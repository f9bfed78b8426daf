"""Morph: a picture half-way between yours and another, or what a prompt would have painted."""

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import last_steps, number_steps, soft_latent_mask
from core.diffusion.model import Conditioning, Denoise, Image, Level, Levels, Model, Step
from core.editing.inversion import Branches, Source, ddim_invert, invertible_levels, select_rows
from core.params import (
    Guidance,
    NegativePrompt,
    PictureFile,
    Prompt,
    Range,
    SourcePrompt,
    Steps,
    Strength,
)

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

Walk = Generator["Tensor", None, "Tensor"]
OTHER = (
    "A file to morph to, laid over the whole canvas and cropped to cover it. "
    "The prompt then says what it shows. None: the prompt's own picture."
)


@techniques.register
class Morph:
    """Interpolate between your picture and another (NoiseDiffusion, arXiv 2403.08840).

    The other one comes from a file, or is the prompt's own. Both are brought to a noisy level,
    clipped, and mixed so that noise and content each keep their strength. Words and guidance move
    along with the share.
    """

    id: ClassVar[str] = "morph"
    label: ClassVar[str] = "Morph"
    paper: ClassVar[Paper | None] = Paper("NoiseDiffusion", "2403.08840")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows")] = ""
        picture: Annotated[str, PictureFile("Other picture", OTHER)] = ""
        share: Annotated[
            float, Range(0, 1, "Share", step=0.05, help="0: your picture. 1: the other one.")
        ] = 0.5
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="How noisy the level of mixing is.")
        ] = 0.6
        fresh: Annotated[
            float, Range(0, 0.9, "Fresh noise", step=0.05, help="In place of the pictures' own.")
        ] = 0.0
        bound: Annotated[
            float, Range(1, 10, "Clip", step=0.5, help="Of latents, against artefacts.")
        ] = 2.0
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 7.5
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
        steps: Annotated[int, Steps(2, 100, "Steps")] = 30

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        morphing = Morphing(task, model)
        steps = len(morphing.levels) - 1
        if not steps:
            return model.decode(morphing.x0)
        with closing(morphing.walk()) as walking:
            z = yield from number_steps(walking, 2 * steps + morphing.calls_for_other)
        return model.decode(z)


class Morphing:
    """One morph: up from the picture, up from the other or down from noise, down from the mix."""

    def __init__(self, task: "Task[Morph.Params]", model: Model) -> None:
        self.task = task
        self.params = task.params
        self.model = model
        self.whole = invertible_levels(model.levels(self.params.steps))
        self.levels = last_steps(self.whole, self.params.strength)
        self.x0 = model.encode(task.image)
        has_file = bool(self.params.picture)
        self.other = model.encode(task.pictures["picture"]) if has_file else None
        self.embeddings = model.embed([self.params.source_prompt, self.params.prompt])
        self.negative = model.embed([self.params.negative_prompt])

    @property
    def calls_for_other(self) -> int:
        return len(self.whole if self.other is None else self.levels) - 1

    def walk(self) -> Walk:
        latents = yield from self._invert(self.x0, 0)
        second = yield from (
            self._sample_other() if self.other is None else self._invert_other(self.other)
        )
        noise = self.task.noise(self.x0, "fresh")
        z = mix_ends(Ends(latents[0], self.x0), second, self.levels[0], noise, self.params)
        mask = soft_latent_mask(self.task.mask, self.x0)
        denoise = self._denoiser_at(self.params.share)
        return (yield from _ddim_down(denoise, z, self.levels, latents, mask))

    def _sample_other(self) -> "Generator[Tensor, None, Ends]":
        """The picture that the prompt makes of the seed's noise."""
        before = self.whole[: len(self.whole) - len(self.levels) + 1]
        noisy = yield from _ddim_down(self._denoiser_at(1.0), self.task.noise(self.x0), before)
        clean = yield from _ddim_down(self._denoiser_at(1.0), noisy, self.levels)
        return Ends(noisy, clean)

    def _invert_other(self, x0: "Tensor") -> "Generator[Tensor, None, Ends]":
        """The other picture, inverted with the prompt."""
        latents = yield from self._invert(x0, 1)
        return Ends(latents[0], x0)

    def _invert(self, x0: "Tensor", row: int) -> "Generator[Tensor, None, list[Tensor]]":
        """A picture inverted with one of the two prompts."""
        prompt, guidance = select_rows(self.embeddings, [row]), self.params.guidance
        return ddim_invert(
            Source(self.model, x0, prompt, self.levels, guidance, self.negative, self._noise)
        )

    def _noise(self, role: str, step: int) -> "Tensor":
        return self.task.noise(self.x0, role, step)

    def _denoiser_at(self, share: float) -> Denoise:
        """The network between both prompts; at the prompt of a real picture it is unguided."""
        part = share if self.other is None else 4 * share * (1 - share)
        scale = 1 + part * (self.params.guidance - 1)
        return Branches(
            self.model, interpolate_embeddings(self.embeddings, share), (scale,), self.negative
        )


@dataclass(frozen=True)
class Ends:
    """One end of a morph: its latent at the noisy level, and its clean latent."""

    noisy: "Tensor"
    clean: "Tensor"


def mix_ends(
    first: Ends, second: Ends, level: Level, noise: "Tensor", params: Morph.Params
) -> "Tensor":
    """The published mix: content by the share, noise with its full variance.

    The latents of both ends and noise: (1, c, h, w) float, unbounded. Returns the same shape and
    dtype, within -bound..bound of the parameters.
    """
    kept = math.sqrt(1 - params.fresh**2)
    alpha, beta = (kept * part for part in _arc(params.share))
    mu, nu = alpha / (alpha + beta), beta / (alpha + beta)
    bound = params.bound
    z = alpha * first.noisy.clamp(-bound, bound) + beta * second.noisy.clamp(-bound, bound)
    z = z + level.signal * ((mu - alpha) * first.clean + (nu - beta) * second.clean)
    return (z + params.fresh * level.noise * noise).clamp(-bound, bound)


def _arc(share: float) -> tuple[float, float]:
    return math.cos(share * math.pi / 2), math.sin(share * math.pi / 2)


def interpolate_embeddings(embeddings: Conditioning, share: float) -> Conditioning:
    """One row between the two of a conditioning.

    embeddings: tokens (2, length, width) float, unbounded. Returns (1, length, width) alike.
    """
    first, second = select_rows(embeddings, [0]), select_rows(embeddings, [1])
    pooled = first.pooled
    if pooled is not None and second.pooled is not None:
        pooled = pooled.lerp(second.pooled, share)
    return replace(second, tokens=first.tokens.lerp(second.tokens, share), pooled=pooled)


def _ddim_down(
    denoise: Denoise,
    z: "Tensor",
    levels: Levels,
    latents: "list[Tensor] | None" = None,
    mask: "Tensor | None" = None,
) -> Walk:
    """DDIM steps; with latents and a mask, the latents stay where the mask is 0."""
    if latents is not None and mask is not None:
        z = latents[0].lerp(z, mask)
    for i, (here, there) in enumerate(_pairs(levels)):
        prediction = denoise(z, here)
        z = prediction.at(there)
        if latents is not None and mask is not None:
            z = latents[i + 1].lerp(z, mask)
        yield prediction.x0
    return z


def _pairs(levels: Levels) -> Iterator[tuple[Level, Level]]:
    return zip(levels, levels[1:], strict=False)
