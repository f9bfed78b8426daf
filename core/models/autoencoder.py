"""Pictures to latents and back with a diffusers autoencoder, and a cheap look at latents."""

from typing import TYPE_CHECKING, Any

import numpy as np

from core.diffusion.model import Image
from core.models.adapter import Adapter

if TYPE_CHECKING:
    from torch import Tensor

LOOKS = 24
"""Latent cells a side of the pictures that the preview's colours are fitted on."""


class AutoencoderModel(Adapter):
    """A model whose latents are those of its ``vae``, scaled and shifted as it was trained."""

    vae: Any
    device: str

    def encode(self, image: Image) -> "Tensor":
        """The posterior's mean, scaled as the network was trained."""
        import torch

        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        with torch.no_grad():
            shown = (pixels * 2 - 1).to(self.device, self.vae.dtype)
            mean = self.vae.encode(shown).latent_dist.mode().float()
        latent: Tensor = (mean - self._shift) * self._scale
        return latent

    def decode(self, z: "Tensor") -> Image:
        import torch

        with torch.no_grad():
            raw = z[:1] / self._scale + self._shift
            pixels = self.vae.decode(raw.to(self.vae.dtype)).sample[0].float()
        return _as_image(pixels / 2 + 0.5)

    @property
    def _scale(self) -> float:
        return float(self.vae.config["scaling_factor"])

    @property
    def _shift(self) -> float:
        return float(self.vae.config.get("shift_factor") or 0.0)

    def preview(self, z: "Tensor") -> Image:
        """Each cell's colour as a linear function of its latent, fitted once to the decoder."""
        import torch

        weights: Tensor = self.cache.get(("preview", self.identity), self._fit_preview)
        cells = z[0].detach().float().cpu().flatten(1).T
        ones = torch.ones(len(cells), 1)
        colours = torch.cat([cells, ones], 1) @ weights
        height, width = z.shape[-2:]
        return _as_image(colours.T.reshape(3, height, width))

    def _fit_preview(self) -> "Tensor":
        import torch
        from torch.nn.functional import avg_pool2d

        generator = torch.Generator().manual_seed(0)
        coarse = torch.randn(1, self.channels, 6, 6, generator=generator)
        z = torch.nn.functional.interpolate(coarse, size=LOOKS, mode="bicubic")
        shown = torch.from_numpy(self.decode(z.to(self.device)).transpose(2, 0, 1))[None]
        colours = avg_pool2d(shown, self.factor)[0].flatten(1).T
        cells = z[0].flatten(1).T
        cells = torch.cat([cells, torch.ones(len(cells), 1)], 1)
        solution: Tensor = torch.linalg.lstsq(cells, colours).solution
        return solution


def _as_image(pixels: "Tensor") -> Image:
    shown = pixels.clamp(0, 1).permute(1, 2, 0).contiguous().cpu().numpy()
    return np.asarray(shown, np.float32)
