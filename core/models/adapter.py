"""What every backend shares: one counted network call per evaluation, prompts embedded once."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from core.diffusion.attention import AttentionCall, FeatureTap
from core.diffusion.cache import TensorCache
from core.diffusion.model import (
    Conditioning,
    Denoise,
    Image,
    KnownRegion,
    Level,
    Levels,
    Prediction,
)
from core.errors import ModelError
from core.models.prompt_length import describe_cut, read_length

if TYPE_CHECKING:
    from torch import Tensor


class Adapter:
    """A loaded model behind the protocol of core.diffusion.model; backends fill in ``predict``."""

    id = ""
    label = ""
    capabilities: frozenset[str] = frozenset()
    native = 512
    factor = 8
    multiple = 8
    channels = 4
    identity = ""
    token_limit: int | None = None
    """The tokens of a prompt that are read, marks of start and end not counted; None: all."""

    def __init__(self) -> None:
        self.calls = 0
        self.notes: list[str] = []
        self.cache = TensorCache()

    def levels(self, steps: int) -> Levels:
        raise NotImplementedError

    def encode(self, image: Image) -> "Tensor":
        raise NotImplementedError

    def decode(self, z: "Tensor") -> Image:
        raise NotImplementedError

    def preview(self, z: "Tensor") -> Image:
        return self.decode(z)

    def embed_fresh(self, prompts: Sequence[str]) -> Conditioning:
        """Embed prompts without the cache.

        Returns tokens (b, length, width) float, unbounded, one row a prompt; pooled embeddings
        (b, width) alike where the model has them.
        """
        raise NotImplementedError

    def pieces(self, prompt: str) -> tuple[str, ...]:
        """Every word is a piece; backends override this by what their encoder does."""
        return tuple(prompt.split())

    def predict(
        self,
        z: "Tensor",
        level: Level,
        label: Level,
        embeddings: Conditioning,
        known: KnownRegion | None,
    ) -> Prediction:
        """Content and noise of z at ``level``, from a network that is given ``label`` as its level.

        z: (b, c, h, w) float, unbounded, with one row of embeddings for each of its rows. Both
        parts of the result are like z. Most backends raise ModelError when the network gives
        values that are not finite.
        """
        raise NotImplementedError

    def token_ends(self, prompt: str) -> Sequence[int]:
        """Where each token of a prompt ends, in characters; marks of start and end not counted."""
        return ()

    def fits(self, prompt: str) -> bool:
        """Whether the text encoder reads all of a prompt."""
        return self.token_limit is None or len(self.token_ends(prompt)) <= self.token_limit

    def embed(self, prompts: Sequence[str]) -> Conditioning:
        """Embed prompts, through the cache; one that is too long is cut, which a note says.

        Returns tokens (b, length, width) float, unbounded, one row a prompt.
        """
        fitting = tuple(self._cut_to_fit(prompt) for prompt in prompts)
        key = ("embeddings", self.identity, fitting)
        embeddings: Conditioning = self.cache.get(key, lambda: self.embed_fresh(fitting))
        return embeddings

    def _cut_to_fit(self, prompt: str) -> str:
        if self.token_limit is None:
            return prompt
        length = read_length(prompt, self.token_ends, self.token_limit)
        if prompt[length:].strip():
            note = describe_cut(self.label, prompt[length:])
            if note not in self.notes:
                self.notes.append(note)
        return prompt[:length].rstrip() if length < len(prompt) else prompt

    def denoiser(self, prompt: str | Conditioning, known: KnownRegion | None = None) -> Denoise:
        """A denoiser under one prompt, or under every row of a conditioning in one call.

        It takes latents (b, c, h, w) float, unbounded: a row for each row of the conditioning, or
        one row for all of them.
        """
        embeddings = self.embed([prompt]) if isinstance(prompt, str) else prompt

        def denoise(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            self.calls += 1
            batch = z.expand(len(embeddings), *z.shape[1:]) if z.shape[0] == 1 else z
            return self.predict(batch, level, label or level, embeddings, known)

        return denoise

    def attention(self, control: AttentionCall) -> AbstractContextManager[None]:
        raise ModelError(f"{self.label} has no attention layers to work with.")

    def features(self, tap: FeatureTap) -> AbstractContextManager[None]:
        raise ModelError(f"{self.label} has no blocks to look into.")
