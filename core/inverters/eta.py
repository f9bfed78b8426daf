"""Eta Inversion: Direct Inversion whose edit gets fresh noise, most at the noisiest levels."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.model import Conditioning, Denoise, Level, Levels, Model, Prediction
from core.editing.attention_maps import MeanAttentionMap
from core.editing.inversion import Inversion, PathState, ReplayPath, Source, ddim_invert
from core.editing.token_alignment import find_differing_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

MAX_ETA = 0.4
"""The share of DDPM's noise at the noisiest time, as published; it falls linearly with time."""
LAST_TIME = 999
DRAWS = 10
"""Noises to choose from at every step, as published."""
THRESHOLD = 0.2
"""The mean of maps of highest value 1 above which their tokens count as found, as published."""


@inverters.register
class EtaInversion:
    """Keep the source on its path, give the edit fresh noise (Eta Inversion, arXiv 2403.09468).

    Of ten noises the edit takes the one closest to what the source would have needed, where the
    attention maps of the exchanged words are high; these maps are recorded during the inversion,
    and those of every step are divided by their highest value. Without exchanged words, or with a
    model whose attention cannot be read, the whole picture gets fresh noise.
    """

    id: ClassVar[str] = "eta"
    label: ClassVar[str] = "Eta Inversion"
    paper: ClassVar[Paper | None] = Paper("Eta Inversion", "2403.09468")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        model, denoise = source.model, source.denoiser()
        maps = MeanAttentionMap(source.x0) if "attention" in model.capabilities else None
        if maps:
            denoise = record_maps(model, denoise, maps)
        latents = yield from ddim_invert(source, denoise)
        region, slope = EditedRegion(model, maps), MAX_ETA / LAST_TIME
        return EtaPath(source.levels, latents, slope, source.noise, region)


def record_maps(model: Model, denoise: Denoise, maps: MeanAttentionMap) -> Denoise:
    """A denoiser whose attention maps are recorded, each call as a step."""

    def recorded(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        with model.attention(maps):
            prediction = denoise(z, level, label)
        maps.end_step()
        return prediction

    return recorded


class EditedRegion:
    """Where in the latent the words are that an edit exchanges, by the source's attention maps."""

    def __init__(self, model: Model, maps: MeanAttentionMap | None) -> None:
        self.pieces = model.pieces
        self.maps = maps

    def mask(self, embeddings: Conditioning) -> "Tensor | None":
        """Where the attention map of these words is high: (1, 1, h, w) float, 0..1, each 0 or 1.

        embeddings: the source's prompt, then those of edits, (b, length, width), of which only the
        texts count. None when no word is exchanged or no map was recorded.
        """
        source, target, *_ = (*embeddings.prompts, "", "")
        gone, _ = find_differing_tokens(self.pieces(source), self.pieces(target))
        found = self.maps.of(gone) if self.maps else None
        return None if found is None else (found > THRESHOLD).to(found)


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
        """The share of DDPM's noise at a level, 0 to 1."""
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
        """The noise of step i that is nearest to the wanted one."""
        noises = (self.noise("eta", i * DRAWS + n) for n in range(DRAWS))
        return min(noises, key=lambda noise: float((noise - wanted).square().sum()))
