"""Pictures to latents and back with a diffusers autoencoder, and a cheap preview of latents."""

from typing import TYPE_CHECKING, Any

import numpy as np

from core.diffusion.model import Image
from core.models.adapter import Adapter

if TYPE_CHECKING:
    from torch import Tensor

PREVIEW_SIDE = 24
"""Latent cells a side of the pictures that the preview's colours are fitted on."""


class AutoencoderModel(Adapter):
    """A model whose latents are those of its ``vae``, scaled and shifted as it was trained."""

    vae: Any
    device: str

    def encode(self, image: Image) -> "Tensor":
        """The mean of the autoencoder's posterior, scaled as the network was trained.

        image: height x width x 3 float32, 0..1. Returns (1, c, h, w) float32, unbounded.
        """
        import torch

        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        with torch.no_grad():
            inputs = (pixels * 2 - 1).to(self.device, self.vae.dtype)
            mean = self.vae.encode(inputs).latent_dist.mode().float()
        latent: Tensor = (mean - self._shift) * self._scale
        return latent

    def decode(self, z: "Tensor") -> Image:
        """The picture of the first row of z.

        z: (b, c, h, w) float, unbounded. Returns height x width x 3 float32, 0..1.
        """
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
        """Each cell's colour as a linear function of its latent, fitted once to the decoder.

        z: (b, c, h, w) float, unbounded. Returns h x w x 3 float32, 0..1, of the first row.
        """
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
        z = torch.nn.functional.interpolate(coarse, size=PREVIEW_SIDE, mode="bicubic")
        picture = torch.from_numpy(self.decode(z.to(self.device)).transpose(2, 0, 1))[None]
        colours = avg_pool2d(picture, self.factor)[0].flatten(1).T
        cells = z[0].flatten(1).T
        cells = torch.cat([cells, torch.ones(len(cells), 1)], 1)
        solution: Tensor = torch.linalg.lstsq(cells, colours).solution
        return solution


def _as_image(pixels: "Tensor") -> Image:
    image = pixels.clamp(0, 1).permute(1, 2, 0).contiguous().cpu().numpy()
    return np.asarray(image, np.float32)
