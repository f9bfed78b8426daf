"""What lies between editing methods and models: levels, predictions and the Model protocol.

A latent at a level is ``z = signal * x0 + noise * eps``. Epsilon-, v- and x0-prediction and
rectified flow are all alike here; each backend converts its own output once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.diffusion.attention import AttentionCall, FeatureTap

if TYPE_CHECKING:
    from torch import Tensor

    from core.diffusion.cache import TensorCache

Image = npt.NDArray[np.float32]
"""Height x width x 3, sRGB-coded, 0..1."""


class Level(NamedTuple):
    """How noisy a latent is: z = signal * x0 + noise * eps; ``time`` is the network's own label."""

    signal: float
    noise: float
    time: float

    def mix(self, x0: "Tensor", eps: "Tensor") -> "Tensor":
        """Mix content and noise. x0, eps: (b, c, h, w) float, unbounded; returns the same."""
        return self.signal * x0 + self.noise * eps


Levels = tuple[Level, ...]
"""From noisiest to cleanest; n steps walk n + 1 levels."""


class Prediction(NamedTuple):
    """What a model predicts of a noisy latent: its clean content and its noise.

    Both are (b, c, h, w) float, unbounded.
    """

    x0: "Tensor"
    eps: "Tensor"

    def at(self, level: Level) -> "Tensor":
        """The deterministic (DDIM) move to another level, noisier or cleaner.

        Returns the latent there, (b, c, h, w) float, unbounded.
        """
        return level.mix(self.x0, self.eps)


class Denoise(Protocol):
    """One network evaluation."""

    def __call__(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        """What the network predicts of z, (b, c, h, w) float, unbounded.

        ``label`` is the level given to the network where it differs from that of z.
        """
        ...


@dataclass(frozen=True)
class Conditioning:
    """Prompt embeddings: tokens (batch, length, width) float, unbounded.

    ``pooled`` is the embedding of each whole prompt, (batch, width), where a backend needs it.
    ``guidance`` is what a network with "embedded-guidance" reads for each row; None, or no row at
    all, is the model's usual value.
    """

    prompts: tuple[str, ...]
    tokens: "Tensor"
    pooled: "Tensor | None" = None
    guidance: tuple[float | None, ...] = ()

    def __len__(self) -> int:
        return len(self.prompts)

    def concatenate(self, other: "Conditioning") -> "Conditioning":
        """Both batches one after the other: tokens (batch, length, width) float, unbounded."""
        import torch

        pooled = None
        if self.pooled is not None and other.pooled is not None:
            pooled = torch.cat([self.pooled, other.pooled])
        tokens = torch.cat([self.tokens, other.tokens])
        prompts, guidance = self.prompts + other.prompts, self.scales() + other.scales()
        return Conditioning(prompts, tokens, pooled, guidance)

    def scales(self) -> tuple[float | None, ...]:
        """What a network with "embedded-guidance" reads for each row, None for the usual value."""
        return self.guidance or (None,) * len(self)


class KnownRegion(NamedTuple):
    """What an inpainting network is given: what to paint, and the clean latent of the picture.

    mask: (1, 1, h, w) float, 1 where it shall paint, else 0; x0: (1, c, h, w) float, unbounded.
    """

    mask: "Tensor"
    x0: "Tensor"


MakeDenoise = Callable[[Conditioning], Denoise]
"""From prompt embeddings to a denoiser; modifiers map one such function to another."""


class Model(Protocol):
    """A text-to-image diffusion model.

    ``native`` is the picture side in pixels it is best at, ``factor`` the pixels per latent cell,
    ``multiple`` what picture sides must be multiples of, ``channels`` those of the latent.
    ``identity`` is a hash of the weights. ``calls`` counts network evaluations. ``notes`` are
    sentences for the person, such as that a prompt was cut.

    Capabilities: "attention" (controls work, prompts have cross-attention layers),
    "joint-attention" (controls work, prompt and picture share layers), "self-attention" (either of
    the two), "inpaint" (``known`` is used), "gradient" (autograd goes through the network),
    "embedded-guidance" (the network was trained to read a guidance scale as a number, so that there
    is no unconditional prediction to guide away from).
    """

    id: str
    label: str
    capabilities: frozenset[str]
    native: int
    factor: int
    multiple: int
    channels: int
    identity: str
    calls: int
    notes: list[str]
    cache: "TensorCache"

    def levels(self, steps: int) -> Levels:
        """The model's own schedule for a walk of so many steps, from noisiest to cleanest."""
        ...

    def encode(self, image: Image) -> "Tensor":
        """The latent of a picture, height x width x 3 float32, 0..1.

        Returns (1, channels, height / factor, width / factor) float32, unbounded.
        """
        ...

    def decode(self, z: "Tensor") -> Image:
        """The picture of a latent: height x width x 3 float32, 0..1.

        z: (1, channels, height / factor, width / factor) float, unbounded.
        """
        ...

    def preview(self, z: "Tensor") -> Image:
        """A quick picture of a latent, as for ``decode`` but of any size with the same aspect.

        z: (1, channels, h, w) float, unbounded. Returns height x width x 3 float32, 0..1.
        """
        ...

    def embed(self, prompts: Sequence[str]) -> Conditioning:
        """The prompt embeddings: tokens (batch, length, width) float, unbounded."""
        ...

    def pieces(self, prompt: str) -> tuple[str, ...]:
        """What the text encoder cuts a prompt into, one text for each of its tokens in use."""
        ...

    def denoiser(self, prompt: str | Conditioning, known: KnownRegion | None = None) -> Denoise:
        """The network with a prompt, or with tokens (batch, length, width) float, unbounded."""
        ...

    def attention(self, control: AttentionCall) -> AbstractContextManager[None]:
        """Within the context every attention layer goes through a control.

        Raises ModelError for a model without attention layers.
        """
        ...

    def features(self, tap: FeatureTap) -> AbstractContextManager[None]:
        """Within the context the outputs of network blocks go through a tap.

        Raises ModelError for a model without blocks.
        """
        ...


class Step(NamedTuple):
    """Progress of a technique: step n of ``of``, and the clean latent predicted so far.

    x0: (1, c, h, w) float, unbounded.
    """

    n: int
    of: int
    x0: "Tensor"


Steps = Iterator[Step]
