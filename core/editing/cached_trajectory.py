"""The path of one picture through the noise levels, cached so that edits start half-way.

Layered Diffusion Brushes (arXiv 2405.00313) start a stroke from a cached latent and merge it with
what lies below near the end; Direct Inversion (arXiv 2310.01506) keeps where the model's own steps
would have led, so that the difference can be given back wherever nothing is edited.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.diffusion.model import Denoise, Levels

if TYPE_CHECKING:
    from torch import Tensor

Walk = Generator["Tensor", None, "Tensor"]
"""Yields the clean latent predicted by each network call; returns the latent it arrives at."""


@dataclass
class Trajectory:
    """Latents of one picture by level index, the last being the clean latent itself.

    ``eps[i]`` is the noise in ``latents[i]``. ``replayed[i + 1]`` is where one step of the model
    leads from ``latents[i]``. All grow on demand and never change once there; all are
    (1, c, h, w) float, unbounded.
    """

    levels: Levels
    latents: "dict[int, Tensor]"
    eps: "dict[int, Tensor]" = field(default_factory=dict)
    replayed: "dict[int, Tensor]" = field(default_factory=dict)

    @staticmethod
    def from_inversion(levels: Levels, x0: "Tensor") -> "Trajectory":
        """A path found by DDIM inversion: call ``invert`` before using it.

        x0: (1, c, h, w) float, unbounded.
        """
        return Trajectory(levels, {len(levels) - 1: x0})

    @staticmethod
    def from_noise(levels: Levels, x0: "Tensor", noise: "Tensor") -> "Trajectory":
        """The picture under one fixed noise: every level is known at once, without a call.

        x0, noise: (1, c, h, w) float, unbounded.
        """
        last = len(levels) - 1
        latents = {i: levels[i].mix(x0, noise) for i in range(last)}
        return Trajectory(levels, {**latents, last: x0}, dict.fromkeys(range(last), noise))

    @property
    def start(self) -> int:
        """The noisiest level index that is known."""
        return min(self.latents)

    def missing_replays(self, first: int) -> list[int]:
        """The level indices, from first on, from which the model's own step is not known yet."""
        return [i for i in range(first, len(self.levels) - 1) if i + 1 not in self.replayed]

    def invert(self, denoise: Denoise, start: int) -> Generator["Tensor", None, None]:
        """DDIM inversion up to level index start; the label is that of the noisier level.

        Yields the clean latents predicted, (1, c, h, w) float, unbounded.
        """
        for i in range(self.start - 1, start - 1, -1):
            prediction = denoise(self.latents[i + 1], self.levels[i + 1], self.levels[i])
            self.eps[i], self.latents[i] = prediction.eps, prediction.at(self.levels[i])
            yield prediction.x0

    def replay(self, denoise: Denoise, first: int) -> Generator["Tensor", None, None]:
        """Find where the model's own steps lead from level index first on, one call each.

        Yields the clean latents predicted, (1, c, h, w) float, unbounded.
        """
        for i in self.missing_replays(first):
            prediction = denoise(self.latents[i], self.levels[i])
            self.replayed[i + 1] = prediction.at(self.levels[i + 1])
            yield prediction.x0

    def exchange_noise(self, start: int, noise: "Tensor", share: "Tensor") -> "Tensor":
        """The latent at a level with part of its noise exchanged, its variance kept.

        noise: (1, c, h, w) float, unbounded; share: (1, 1, h, w) float, from 0, the cached latent
        bit for bit, to 1, all noise new. Returns the shape and dtype of noise.
        """
        kept = (1 - share * share).sqrt()
        change = (kept - 1) * self.eps[start] + share * noise
        return self.latents[start] + self.levels[start].noise * change

    def restore_difference(self, z: "Tensor", index: int, freedom: "Tensor | float") -> "Tensor":
        """A latent after a step to level index, with what replaying would have lost added again.

        z: (1, c, h, w) float, unbounded; freedom: per cell or one number, 0..1. Where it is 0 and
        the step began at the cached latent, this is the cached latent exactly.
        """
        return (self.latents[index] + (z - self.replayed[index])).lerp(z, freedom)

    def regenerate(
        self, denoise: Denoise, z: "Tensor", span: range, mask: "Tensor", freedom: float = 1.0
    ) -> Walk:
        """Denoise from the first level of span to its stop; where mask is 0 stay on the path.

        z: (1, c, h, w) float, unbounded; mask: (1, 1, h, w) float, 0..1.
        """
        for i in span:
            prediction = denoise(z, self.levels[i])
            z = prediction.at(self.levels[i + 1])
            if freedom < 1:
                z = self.restore_difference(z, i + 1, freedom)
            z = z.where(mask > 0, self.latents[i + 1])
            yield prediction.x0
        return z

    def finish(self, denoise: Denoise, z: "Tensor", first: int, freedom: "Tensor") -> Walk:
        """The last steps, run jointly for everything.

        z: (1, c, h, w) float, unbounded; freedom: (1, 1, h, w) float, 0..1.
        """
        for i in range(first, len(self.levels) - 1):
            prediction = denoise(z, self.levels[i])
            z = self.restore_difference(prediction.at(self.levels[i + 1]), i + 1, freedom)
            yield prediction.x0
        return z


class LayerLatent(NamedTuple):
    """One brush layer at the merging level: its soft mask, (1, 1, h, w) float, 0..1, and latent."""

    mask: "Tensor"
    latent: "Tensor"


def merge_layers(base: "Tensor", layers: Iterable[LayerLatent]) -> "Tensor":
    """The latents of brush layers merged from bottom to top over the base, by their masks.

    base: (1, c, h, w) float, unbounded; returns the same.
    """
    merged = base
    for layer in layers:
        merged = merged.lerp(layer.latent, layer.mask)
    return merged
