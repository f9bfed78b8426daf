"""The toy model: the exact denoiser of one Gaussian per prompt, for tests and for trying things."""

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from core.catalog import ModelDefaults, backends
from core.diffusion.model import Conditioning, Image, KnownRegion, Level, Levels, Model, Prediction
from core.models.adapter import Adapter

if TYPE_CHECKING:
    from torch import Tensor

VARIANCE = 0.1
"""Of every latent value around its prompt's mean."""


class Toy(Adapter):
    """Pictures are Gaussian around one colour per prompt; pixel values -1..1 are the latent.

    The codec folds 8 x 8 pixels into the channels of one cell and back, which loses nothing.
    """

    id = "toy"
    label = "Toy (a Gaussian)"
    native = 128
    factor = 8
    multiple = 8
    channels = 192
    identity = "toy-1"

    def levels(self, steps: int) -> Levels:
        angles = [math.pi / 2 * (1 - i / steps) for i in range(steps)]
        noisy = [
            Level(math.cos(angle), math.sin(angle), 1000 * math.sin(angle)) for angle in angles
        ]
        return (*(level._replace(signal=max(0.0, level.signal)) for level in noisy), Level(1, 0, 0))

    def encode(self, image: Image) -> "Tensor":
        import torch
        from torch.nn.functional import pixel_unshuffle

        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        return pixel_unshuffle(pixels[None] * 2 - 1, self.factor)

    def decode(self, z: "Tensor") -> Image:
        from torch.nn.functional import pixel_shuffle

        pixels = (pixel_shuffle(z[:1], self.factor)[0] + 1) / 2
        return np.asarray(pixels.clamp(0, 1).permute(1, 2, 0).contiguous().numpy(), np.float32)

    def embed_fresh(self, prompts: Sequence[str]) -> Conditioning:
        import torch

        colours = torch.tensor([colour_of(prompt) for prompt in prompts], dtype=torch.float32)
        return Conditioning(tuple(prompts), colours[:, None, :])

    def predict(
        self,
        z: "Tensor",
        level: Level,
        label: Level,
        embeddings: Conditioning,
        known: KnownRegion | None,
    ) -> Prediction:
        mean = embeddings.tokens[:, 0, :].repeat_interleave(self.factor**2, 1)[:, :, None, None]
        away = z - level.signal * mean
        spread = level.signal**2 * VARIANCE + level.noise**2
        x0 = mean + level.signal * VARIANCE / spread * away
        return Prediction(x0, level.noise / spread * away)


def colour_of(prompt: str) -> tuple[float, float, float]:
    """The mean colour of a prompt, -1..1 a channel; grey for the empty one."""
    if not prompt.strip():
        return (0.0, 0.0, 0.0)
    digest = hashlib.blake2b(
        prompt.strip().lower().encode("utf-8", "surrogatepass"), digest_size=3
    ).digest()
    red, green, blue = (byte / 127.5 - 1 for byte in digest)
    return (red, green, blue)


@backends.register
class ToyBackend:
    """Needs no weights and has a closed form: for tests and for trying out techniques."""

    id: ClassVar[str] = "toy"
    label: ClassVar[str] = Toy.label
    capabilities: ClassVar[frozenset[str]] = Toy.capabilities
    defaults: ClassVar[ModelDefaults] = ModelDefaults()

    @staticmethod
    def opens(name: str) -> bool:
        return name == "toy"

    @staticmethod
    def unknown_words(name: str, text: str) -> tuple[str, ...]:
        """Nothing: what such a model was taught is not written down."""
        return ()

    @staticmethod
    def why_unavailable() -> str:
        return ""

    @staticmethod
    def load(name: str, device: str = "cpu") -> Model:
        return Toy()
