"""Eta Inversion: Direct Inversion whose edit is stirred, most where there is most noise."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import inverters
from core.diffusion.attention import AttentionCall
from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.model import Conditioning, Denoise, Level, Levels, Model, Prediction
from core.editing.attention_maps import MeanAttentionMap
from core.editing.inversion import Inversion, PathState, ReplayPath, Source, ddim_invert
from core.editing.token_alignment import find_differing_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

MAX_ETA = 0.4
"""The share of DDPM's noise at the noisiest level, as published; it falls evenly with time."""
DRAWS = 10
"""Noises to choose from at every step, as published."""
THRESHOLD = 0.2
"""Of the highest value: where a map says more, its word is at home, as published."""
STEPS = 50
"""Of the walk whose first level stands for the noisiest time."""


@inverters.register
class EtaInversion:
    """Keep the source on its path, give the edit fresh noise (Eta Inversion, arXiv 2403.09468).

    Of ten noises the edit gets the one closest to what the source would have needed, where the
    words look that it exchanges: their attention is remembered on the way up. Without such words,
    or with a model whose attention stays closed, the whole picture is stirred.
    """

    id: ClassVar[str] = "eta"
    label: ClassVar[str] = "Eta Inversion"
    needs: ClassVar[frozenset[str]] = frozenset()

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        model, denoise = source.model, source.denoiser()
        maps = MeanAttentionMap(source.x0) if "attention" in model.capabilities else None
        if maps:
            denoise = under_control(model, denoise, maps)
        latents = yield from ddim_invert(source, denoise)
        slope = MAX_ETA / model.levels(STEPS)[0].time
        return EtaPath(source.levels, latents, slope, source.noise, EditedRegion(model, maps))


def under_control(model: Model, denoise: Denoise, control: AttentionCall) -> Denoise:
    """A denoiser whose attention layers go through a control."""

    def controlled(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        with model.attention(control):
            return denoise(z, level, label)

    return controlled


class EditedRegion:
    """Where in the latent the tokens are that an edit exchanges."""

    def __init__(self, model: Model, maps: MeanAttentionMap | None) -> None:
        self.pieces = model.pieces
        self.maps = maps

    def mask(self, embeddings: Conditioning) -> "Tensor | None":
        """1 where they are attended to, 0 elsewhere: (1, 1, h, w) float; None where unknown.

        embeddings: tokens (branches, length, width) float, unbounded.
        """
        source, target, *_ = (*embeddings.prompts, "", "")
        gone, _ = find_differing_tokens(self.pieces(source), self.pieces(target))
        attention = self.maps.of(gone) if self.maps else None
        if attention is None:
            return None
        return (attention > THRESHOLD * attention.max()).to(attention)


class EtaPath(ReplayPath):
    """The source row stays on its path; the others move with ``slope * time`` of DDPM's noise."""

    def __init__(
        self,
        levels: Levels,
        latents: "list[Tensor]",
        slope: float,
        noise: "Callable[[str, int], Tensor]",
        region: EditedRegion,
    ) -> None:
        super().__init__(levels, latents)
        self.slope = slope
        self.noise = noise
        self.region = region
        self.mask: Tensor | None = None

    def prompt_embeddings(self, i: int, embeddings: Conditioning) -> Conditioning:
        self.mask = self.region.mask(embeddings)
        return embeddings

    def eta(self, level: Level) -> float:
        return min(1.0, self.slope * level.time)

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        import torch

        here, there, source = self.levels[i], self.levels[i + 1], self.latents[i + 1]
        prediction = denoise(state[0], here)
        z = step_mean(prediction, here, there, self.eta(here))
        fresh = step_sigma(here, there, self.eta(here))
        if fresh:
            z = z + fresh * self._closest(i, (source - z[:1]) / fresh)
        if self.mask is not None:
            z = prediction.at(there).lerp(z, self.mask)
        return (torch.cat([source, z[1:]]),), prediction.x0

    def _closest(self, i: int, wanted: "Tensor") -> "Tensor":
        """Of the step's noises the one nearest to what is wanted."""
        drawn = (self.noise("eta", i * DRAWS + n) for n in range(DRAWS))
        return min(drawn, key=lambda noise: float((noise - wanted).square().sum()))
