"""Trains the codec's decoder to restore what the linear part drops.

``python -m core.storybook.training.sharpen FOLDER MINUTES`` reads FOLDER's shard 0 and updates
FOLDER/vae. It also trains on scenes of the large world and on photographs, so that pictures unlike
the small world keep their quality. The linear part stays as it is, so latents made before stay
valid.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.storybook.codec import load_codec, save_codec
from core.storybook.sample import World
from core.storybook.training.pack import make_example

if TYPE_CHECKING:
    from torch import Tensor

CROP = 64
BATCH = 24
RATE = 1.5e-3
ROUGHNESS = 0.3
"""Largest spread of the noise added to latents, because sampled latents are never quite clean."""


def load_pictures(folder: Path) -> npt.NDArray[np.uint8]:
    """Load scenes of both worlds and photographs, (n, 128, 128, 3) uint8, 0..255."""
    with np.load(folder / "shard-000.npz") as arrays:
        small: npt.NDArray[np.uint8] = arrays["images"]
    large = np.stack([make_example(2 * 10**9 + i, World.large()).image for i in range(1000)])
    return np.concatenate([small, large, _photographs(400)])


def _photographs(count: int) -> npt.NDArray[np.uint8]:
    from PIL import Image
    from skimage import data

    random = np.random.default_rng(0)
    shown: tuple[Any, ...] = (data.astronaut, data.coffee, data.chelsea)
    crops = []
    whole = [Image.fromarray(picture()) for picture in shown]
    for index in range(count):
        image = whole[index % len(whole)]
        side = int(random.uniform(128, min(image.size)))
        left, top = (int(random.integers(extent - side + 1)) for extent in image.size)
        crops.append(image.crop((left, top, left + side, top + side)).resize((128, 128)))
    return np.stack([np.asarray(crop) for crop in crops])


def _crops(images: npt.NDArray[np.uint8], random: np.random.Generator) -> "Tensor":
    """A batch of small crops on the patch grid, some mirrored."""
    import torch

    chosen = images[random.integers(len(images), size=BATCH)]
    left, top = 8 * random.integers((128 - CROP) // 8 + 1, size=2)
    batch = chosen[:, top : top + CROP, left : left + CROP]
    if random.random() < 0.5:
        batch = batch[:, :, ::-1]
    return torch.from_numpy(batch.copy()).permute(0, 3, 1, 2) / 255


def compute_loss(drawn: "Tensor", true: "Tensor") -> "Tensor":
    """Compute the absolute and squared error, and the error of differences between neighbours.

    drawn, true: (n, 3, h, w) float, about 0..1. Returns a scalar.
    """
    error = drawn - true
    across, down = error.diff(dim=3), error.diff(dim=2)
    return 4 * error.square().mean() + error.abs().mean() + across.abs().mean() + down.abs().mean()


def psnr(codec: Any, images: npt.NDArray[np.uint8], linear: bool = False) -> float:
    """Compute the mean decibels of the round trip of pictures (n, h, w, 3) uint8, 0..255."""
    import torch

    with torch.no_grad():
        true = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        z = codec.encode(true)
        drawn = codec.linear(z).clamp(0, 1) if linear else codec.decode(z)
    return float((-10 * (drawn - true).square().mean((1, 2, 3)).log10()).mean())


def sharpen(folder: Path, minutes: float) -> None:
    """Train for so many minutes, the rate falling to zero at the end."""
    import torch

    images = load_pictures(folder)
    random = np.random.default_rng(int(time.time()))
    codec = load_codec(folder).train().requires_grad_(True)
    optimiser = torch.optim.AdamW(codec.parameters(), lr=RATE, weight_decay=1e-4)
    started = time.perf_counter()
    while (progress := (time.perf_counter() - started) / 60 / minutes) < 1:
        optimiser.param_groups[0]["lr"] = RATE * min(1, 2 * (1 - progress))
        true = _crops(images, random)
        z = codec.encode(true)
        rough = torch.rand(len(z), 1, 1, 1) * ROUGHNESS * (torch.rand(len(z), 1, 1, 1) < 0.5)
        z = z + rough * torch.randn_like(z)
        with torch.autocast("cpu", torch.bfloat16):
            refined = codec.refine(z)
        loss: Any = compute_loss(codec.linear(z) + refined.float(), true)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    save_codec(codec, folder)


if __name__ == "__main__":
    sharpen(Path(sys.argv[1]), float(sys.argv[2]))
