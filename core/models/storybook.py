"""The model that ships with Sfumato: a small text-to-image network for illustrated scenes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.catalog import ModelDefaults, backends
from core.diffusion.attention import AttentionCall, FeatureTap
from core.diffusion.model import Conditioning, Image, KnownRegion, Level, Levels, Model, Prediction
from core.models.adapter import Adapter
from core.models.attention import control_attention
from core.models.checkpoint_parts import refuse_incomplete, translate_checkpoint_errors
from core.models.features import tap_features
from core.models.files import fingerprint, is_regular
from core.models.parametrisation import to_prediction
from core.params import Depth, Steps
from core.storybook.codec import load_codec
from core.storybook.layout import (
    DESCRIPTION,
    FOLDER,
    Layout,
    load_unet,
    network_input,
    read_layout,
)
from core.storybook.text import load_text_encoder
from core.storybook.vocabulary import unknown_words

if TYPE_CHECKING:
    from torch import Tensor

PARTS = ("unet", "vae", "text_encoder", "scheduler")
CAPABILITIES = frozenset({"attention", "self-attention", "gradient", "inpaint"})


class Storybook(Adapter):
    """A Storybook folder, loaded. Latents and network run in float32."""

    id = "storybook"
    label = "Storybook"
    capabilities = CAPABILITIES

    def __init__(self, folder: Path = FOLDER, device: str = "cpu") -> None:
        super().__init__()
        self.layout = read_layout(folder)
        self.native = self.layout.image_size
        self.factor = self.layout.factor
        self.multiple = self.layout.factor * 2 ** (len(self.layout.widths) - 1)
        self.channels = self.layout.latent_channels
        self.identity = fingerprint(folder)
        self.device = device
        self.unet = load_unet(folder).to(device).requires_grad_(False)
        self.codec = load_codec(folder).to(device)
        self.text = load_text_encoder(folder, self.layout)
        self.token_limit = self.layout.context_length - 2
        self._alphas = self.layout.alphas_cumprod()

    def levels(self, steps: int) -> Levels:
        """Trailing spacing from pure noise; the last level is the clean latent."""
        stride = self.layout.train_steps / steps
        times = [round(self.layout.train_steps - i * stride) - 1 for i in range(steps)]
        return (*(self._level(time) for time in times), Level(1.0, 0.0, 0.0))

    def _level(self, time: int) -> Level:
        power = float(self._alphas[time])
        return Level(power**0.5, (1 - power) ** 0.5, float(time))

    def encode(self, image: Image) -> "Tensor":
        import torch

        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        with torch.no_grad():
            latent: Tensor = self.codec.encode(pixels[None].to(self.device))
        return latent

    def decode(self, z: "Tensor") -> Image:
        return _picture(self.codec.decode, z)

    def preview(self, z: "Tensor") -> Image:
        """The picture of the first row of z by the linear part of the codec alone, at full size.

        z: (b, c, h, w) float, unbounded. Returns height x width x 3 float32, 0..1.
        """
        return _picture(self.codec.linear, z)

    def embed_fresh(self, prompts: Sequence[str]) -> Conditioning:
        return Conditioning(tuple(prompts), self.text.embed(prompts).to(self.device))

    def token_ends(self, prompt: str) -> list[int]:
        return self.text.token_ends(prompt)

    def pieces(self, prompt: str) -> tuple[str, ...]:
        return tuple(self.text.token_texts(prompt))

    def predict(
        self,
        z: "Tensor",
        level: Level,
        label: Level,
        embeddings: Conditioning,
        known: KnownRegion | None,
    ) -> Prediction:
        import torch

        inputs = network_input(z, *(known or (None, None)))
        time = torch.tensor(label.time, device=z.device)
        with torch.set_grad_enabled(z.requires_grad or embeddings.tokens.requires_grad):
            output = self.unet(inputs, time, encoder_hidden_states=embeddings.tokens).sample
        return to_prediction(self.layout.prediction_type, output, z, level, label)

    @contextmanager
    def attention(self, control: AttentionCall) -> Iterator[None]:
        with control_attention(self.unet, control):
            yield

    @contextmanager
    def features(self, tap: FeatureTap) -> Iterator[None]:
        with tap_features(self.unet, tap):
            yield


def _picture(decode: Any, z: "Tensor") -> Image:
    import torch

    with torch.no_grad():
        pixels = decode(z[:1])[0].clamp(0, 1).permute(1, 2, 0).contiguous().cpu()
    return np.asarray(pixels.numpy(), np.float32)


def _folder(name: str) -> Path:
    return FOLDER if name == "storybook" else Path(name)


@backends.register
class StorybookBackend:
    """The small model that ships with Sfumato and knows illustrated scenes."""

    id: ClassVar[str] = "storybook"
    label: ClassVar[str] = "Storybook"
    capabilities: ClassVar[frozenset[str]] = CAPABILITIES
    # So small a network paints a thing only when it starts from noise.
    defaults: ClassVar[ModelDefaults] = ModelDefaults(
        Layout().guidance, {Steps: Layout().steps, Depth: 1.0}
    )

    @staticmethod
    def opens(name: str) -> bool:
        return name == "storybook" or is_regular(Path(name) / DESCRIPTION)

    @staticmethod
    def load(name: str, device: str = "cpu") -> Model:
        path = _folder(name)
        with translate_checkpoint_errors(path):
            refuse_incomplete(path, PARTS)
            return Storybook(path, device)

    @staticmethod
    def unknown_words(name: str, text: str) -> tuple[str, ...]:
        """The words that its description does not list, for any thing, place, style or colour."""
        return unknown_words(text, _folder(name))

    @staticmethod
    def why_unavailable() -> str:
        """Why the shipped model cannot be used; empty when its files are there."""
        if (FOLDER / DESCRIPTION).is_file():
            return ""
        return "The Storybook weights are missing from resources/models/storybook."
