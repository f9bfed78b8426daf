"""The narrow waist between editing methods and models: levels, predictions, the Model protocol.

A latent at a level is ``z = signal * x0 + noise * eps``. Epsilon-, v- and x0-prediction and
rectified flow all look alike from here; each backend converts its own output once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
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
        return self.signal * x0 + self.noise * eps


Levels = tuple[Level, ...]
"""From noisiest to cleanest; n steps walk n + 1 levels."""


class Prediction(NamedTuple):
    """What a model believes about a noisy latent: its clean content and its noise."""

    x0: "Tensor"
    eps: "Tensor"

    def at(self, level: Level) -> "Tensor":
        """The deterministic (DDIM) move to another level, up or down."""
        return level.mix(self.x0, self.eps)


class Denoise(Protocol):
    """One network evaluation; ``label`` is the level told to the network when it differs."""

    def __call__(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction: ...


@dataclass(frozen=True)
class Conditioning:
    """Embedded prompts: tokens (batch, length, width) and what a backend wants beside them."""

    prompts: tuple[str, ...]
    tokens: "Tensor"
    pooled: "Tensor | None" = None

    def __len__(self) -> int:
        return len(self.prompts)

    def concatenate(self, other: "Conditioning") -> "Conditioning":
        """Both batches one after the other."""
        import torch

        pooled = None
        if self.pooled is not None and other.pooled is not None:
            pooled = torch.cat([self.pooled, other.pooled])
        tokens = torch.cat([self.tokens, other.tokens])
        return replace(self, prompts=self.prompts + other.prompts, tokens=tokens, pooled=pooled)


class KnownRegion(NamedTuple):
    """What an inpainting network is told: mask (1 = to be painted) and the rest's clean latent.

    mask is (1, 1, h, w) in latent cells, x0 is (1, c, h, w).
    """

    mask: "Tensor"
    x0: "Tensor"


MakeDenoise = Callable[[Conditioning], Denoise]
"""From conditioning to a network evaluation; modifiers map one such function to another."""


class Model(Protocol):
    """A text-to-image diffusion model.

    ``native`` is the picture side in pixels it is best at, ``factor`` pixels per latent cell,
    ``multiple`` what picture sides must divide by, ``channels`` of the latent. ``identity`` is a
    hash of the weights. ``calls`` counts network evaluations. Capabilities: "attention" (control
    works, words have layers of their own), "joint-attention" (control works, words and picture
    share layers), "self-attention" (either of the two: control works where the picture questions
    the picture), "inpaint" (``known`` is used), "gradient" (autograd through the network).
    ``notes`` are sentences for the person about what was asked, such as a prompt that was cut.
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

    def levels(self, steps: int) -> Levels: ...

    def encode(self, image: Image) -> "Tensor":
        """Image to latent (1, channels, height / factor, width / factor), float32."""
        ...

    def decode(self, z: "Tensor") -> Image: ...

    def preview(self, z: "Tensor") -> Image:
        """A cheap look at a latent, of any size with the same aspect."""
        ...

    def embed(self, prompts: Sequence[str]) -> Conditioning: ...

    def pieces(self, prompt: str) -> tuple[str, ...]:
        """What the text encoder cuts a prompt into, one text per row of its tokens in use."""
        ...

    def denoiser(self, prompt: str | Conditioning, known: KnownRegion | None = None) -> Denoise: ...

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
    """Progress of a technique: step n of ``of``, and the clean latent it sees so far."""

    n: int
    of: int
    x0: "Tensor"


Steps = Iterator[Step]
