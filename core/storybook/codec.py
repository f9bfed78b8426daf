"""The picture codec of Storybook: a linear code per patch, and a trained decoder that sharpens it.

Encoding projects each 8 x 8 patch on the principal components of such pictures. So a latent cell
depends on its own patch alone, and a mask in cells hides exactly what it covers. Decoding is the
linear inverse plus a small convolutional network that restores what the projection dropped.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from core.storybook.layout import FOLDER, WEIGHTS

if TYPE_CHECKING:
    from torch import Tensor, nn

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CodecConfig:
    """Patch side, latent channels, and the decoder's width and blocks from coarse to fine."""

    factor: int = 8
    channels: int = 16
    widths: tuple[int, ...] = (128, 64, 32)
    blocks: tuple[int, ...] = (3, 2, 2)


@cache
def _residual() -> type[Any]:
    from torch import nn
    from torch.nn import functional as F

    class Residual(nn.Module):
        """Two convolutions added to their input; starts as the identity."""

        def __init__(self, width: int) -> None:
            super().__init__()
            self.first = nn.Conv2d(width, width, 3, padding=1)
            self.second = nn.Conv2d(width, width, 3, padding=1)
            nn.init.zeros_(self.second.weight)

        def forward(self, x: "Tensor") -> "Tensor":
            result: Tensor = x + self.second(F.silu(self.first(F.silu(x))))
            return result

    return Residual


@cache
def _patch_codec() -> type[Any]:
    import torch
    from torch import nn
    from torch.nn import functional as F

    class PatchCodec(nn.Module):
        """Pictures (n, 3, h, w) in 0..1 to latents (n, channels, h / 8, w / 8) and back."""

        basis: "Tensor"
        inverse: "Tensor"
        mean: "Tensor"

        def __init__(self, config: CodecConfig) -> None:
            super().__init__()
            self.config = config
            size = 3 * config.factor**2
            self.register_buffer("basis", torch.eye(size)[: config.channels].clone())
            self.register_buffer("inverse", torch.eye(size)[: config.channels].clone())
            self.register_buffer("mean", torch.full((size,), 0.5))
            self.refine = _decoder(config)

        def encode(self, image: "Tensor") -> "Tensor":
            """Encode pictures (n, 3, h, w) float, 0..1, to latents (n, c, h / 8, w / 8)."""
            patches = F.pixel_unshuffle(image, self.config.factor)
            return torch.einsum("cp,nphw->nchw", self.basis, patches - self.mean[:, None, None])

        def linear(self, z: "Tensor") -> "Tensor":
            """Decode with the linear inverse alone, quickly and well enough for a preview."""
            patches = torch.einsum("cp,nchw->nphw", self.inverse, z) + self.mean[:, None, None]
            return F.pixel_shuffle(patches, self.config.factor)

        def forward(self, z: "Tensor") -> "Tensor":
            picture: Tensor = self.linear(z) + self.refine(z)
            return picture

        def decode(self, z: "Tensor") -> "Tensor":
            """Decode latents to pictures (n, 3, h, w) float, cut to 0..1."""
            picture: Tensor = self(z).clamp(0, 1)
            return picture

    return PatchCodec


def _decoder(config: CodecConfig) -> "nn.Sequential":
    from torch import nn

    layers: list[nn.Module] = [nn.Conv2d(config.channels, config.widths[0], 3, padding=1)]
    for index, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
        layers += [_residual()(width) for _ in range(count)]
        last = index + 1 == len(config.widths)
        step = config.factor >> index if last else 2
        out = 3 if last else config.widths[index + 1]
        final = nn.Conv2d(width, out * step**2, 3, padding=1)
        if last:
            nn.init.zeros_(final.weight)
            nn.init.zeros_(final.bias)  # type: ignore[arg-type]
        layers += [nn.SiLU(), final, nn.PixelShuffle(step)]
    return nn.Sequential(*layers)


def build_codec(config: CodecConfig) -> Any:
    """Build a PatchCodec with an untrained decoder (it decodes linearly)."""
    return _patch_codec()(config)


def principal_patches(
    images: npt.NDArray[np.uint8], config: CodecConfig
) -> tuple[Floats, Floats, Floats]:
    """Compute (basis, inverse, mean) of pictures (n, h, w, 3) uint8, 0..255, all float32.

    They are the principal components, scaled half-way to unit variance: each is divided by the
    square root of its spread, then all by one number. With full scaling the network would learn
    mostly fine detail; without any, detail would be weaker than the noise.
    """
    n, h, w, _ = images.shape
    f = config.factor
    shape = (n, h // f, f, w // f, f, 3)
    patches = images.reshape(shape).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 3 * f * f) / 255.0
    mean = patches.mean(0)
    values, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    chosen = np.argsort(values)[::-1][: config.channels]
    spread = np.sqrt(values[chosen])
    divisor = np.sqrt(spread)
    divisor *= np.sqrt(np.mean((spread / divisor) ** 2))
    basis = vectors[:, chosen].T / divisor[:, None]
    inverse = vectors[:, chosen].T * divisor[:, None]
    return basis.astype(np.float32), inverse.astype(np.float32), mean.astype(np.float32)


def fit_codec(codec: Any, images: npt.NDArray[np.uint8]) -> None:
    """Set the codec's linear part from pictures (n, h, w, 3) uint8, 0..255."""
    import torch

    parts = principal_patches(images, codec.config)
    for name, value in zip(("basis", "inverse", "mean"), parts, strict=True):
        getattr(codec, name).copy_(torch.from_numpy(value))


def save_codec(codec: Any, folder: Path) -> None:
    """Write vae/ of a model folder: the linear part in full precision, the rest in half."""
    from safetensors.torch import save_file

    (folder / "vae").mkdir(parents=True, exist_ok=True)
    exact = {"basis", "inverse", "mean"}
    state = {
        name: value.contiguous() if name in exact else value.half().contiguous()
        for name, value in codec.state_dict().items()
    }
    save_file(state, folder / "vae" / WEIGHTS)
    text = json.dumps({"_class_name": "PatchCodec", **asdict(codec.config)}, indent=1)
    (folder / "vae" / "config.json").write_text(text + "\n")


def load_codec(folder: Path = FOLDER) -> Any:
    """Load the PatchCodec of a model folder, in float32 and evaluation mode.

    Raises ModelError when it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        values = json.loads((folder / "vae" / "config.json").read_text())
        state = load_file(folder / "vae" / WEIGHTS)
        values.pop("_class_name")
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        codec = build_codec(CodecConfig(**values))
        codec.load_state_dict({name: value.float() for name, value in state.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"The Storybook codec in {folder} cannot be read: {error}") from error
    return codec.eval().requires_grad_(False)
