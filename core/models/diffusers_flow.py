"""Rectified-flow transformers from a diffusers folder: what Stable Diffusion 3 and FLUX share."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.diffusion.attention import AttentionCall
from core.diffusion.model import Conditioning, KnownRegion, Level, Levels, Prediction
from core.diffusion.rectified_flow import scale_of
from core.errors import ModelError
from core.models.autoencoder import AutoencoderModel
from core.models.checkpoints import refuse_incomplete, translate_checkpoint_errors
from core.models.files import fingerprint
from core.models.joint_attention import control_attention
from core.models.parametrisation import flow_to_prediction

if TYPE_CHECKING:
    from torch import Tensor

CAPABILITIES = frozenset({"joint-attention", "self-attention", "gradient"})
PARTS = ("transformer", "vae", "scheduler", "text_encoder", "text_encoder_2")
TOKENIZERS = ("tokenizer", "tokenizer_2")
PATCH = 2
"""Latent cells a side that the networks read as one token."""


class DiffusersFlow(AutoencoderModel):
    """Transformer, autoencoder and text encoders of one folder; latents are float32.

    ``t5`` is the tokenizer of the T5 encoder, None where there is none. ``rows`` is how many
    tokens of a prompt the encoder reads. Where the shift towards noise depends on the picture's
    size, the levels are those of the native size, to which pictures are scaled.
    """

    capabilities = CAPABILITIES

    def __init__(self, pipeline: Any, path: Path, device: str, t5: Any, rows: int) -> None:
        super().__init__()
        self.label = path.stem
        self.identity = fingerprint(path)
        self.device = device
        self.pipeline = pipeline
        for part in pipeline.components.values():
            if hasattr(part, "requires_grad_"):
                part.to(device).eval().requires_grad_(False)
        self.transformer, self.vae = pipeline.transformer, pipeline.vae
        self.t5 = t5
        self.rows = min(rows, int(getattr(t5, "model_max_length", rows)))
        self.channels = int(self.vae.config["latent_channels"])
        self.factor = 2 ** (len(self.vae.config["block_out_channels"]) - 1)
        self.multiple = self.factor * PATCH
        self._scheduler = _euler(pipeline.scheduler)

    # Levels

    def levels(self, steps: int, tokens: int | None = None) -> Levels:
        """The scheduler's own levels, from pure noise to none, for a picture of so many tokens."""
        self._scheduler.set_timesteps(steps, mu=self.shift(tokens), sigmas=self.spacing(steps))
        sigmas = self._scheduler.sigmas.tolist()
        times = [*self._scheduler.timesteps.tolist(), 0.0]
        return tuple(Level(1 - s, s, t) for s, t in zip(sigmas, times, strict=True))

    def spacing(self, steps: int) -> list[float] | None:
        """The noise of every step before the shift; None where the scheduler chooses it."""
        return None

    def shift(self, tokens: int | None = None) -> float:
        """The logarithm of a dynamic shift towards noise: linear in the picture's tokens."""
        config = self._scheduler.config
        few, many = config["base_image_seq_len"], config["max_image_seq_len"]
        low, high = config["base_shift"], config["max_shift"]
        length = (self.native // self.multiple) ** 2 if tokens is None else tokens
        return float(low + (high - low) * (length - few) / (many - few))

    # Prompts

    def fits(self, prompt: str) -> bool:
        """Whether the encoder that reads most reads all of it."""
        clip = self.pipeline.tokenizer
        tokenizer, limit = (self.t5, self.rows) if self.t5 else (clip, int(clip.model_max_length))
        # With so large a limit the tokenizer does not log a warning of its own.
        return len(tokenizer(prompt, truncation=True, max_length=1000).input_ids) <= limit

    def t5_pieces(self, prompt: str) -> tuple[str, ...]:
        """The pieces into which T5 cuts a prompt, as many as it reads."""
        ids = self.t5(prompt, truncation=True, max_length=self.rows).input_ids
        return tuple(self.t5.convert_ids_to_tokens(ids))

    # The network

    def predict(
        self,
        z: "Tensor",
        level: Level,
        label: Level,
        embeddings: Conditioning,
        known: KnownRegion | None,
    ) -> Prediction:
        import torch

        time = torch.full((len(z),), label.time, device=z.device)
        x = (z / scale_of(level)).to(self.transformer.dtype)
        with torch.set_grad_enabled(z.requires_grad or embeddings.tokens.requires_grad):
            output = self.velocity(x, time, embeddings).float()
        return flow_to_prediction(output, z, level)

    def velocity(self, x: "Tensor", time: "Tensor", embeddings: Conditioning) -> "Tensor":
        """The velocity that the network predicts on the straight path: noise less content.

        x: (b, c, h, w) float, unbounded; time: (b,) float, 0..1000. Returns x's shape and dtype.
        """
        raise NotImplementedError

    @contextmanager
    def attention(self, control: AttentionCall) -> Iterator[None]:
        with control_attention(self.transformer, control):
            yield

    # Checks

    def refuse_unfitting(self, *widths: tuple[str, Any, int]) -> None:
        """Raises ModelError for the first width in which the parts do not fit the transformer.

        Each is the transformer's name for a width, what it counts, and what the parts give.
        """
        for name, what, given in widths:
            wanted = int(self.transformer.config[name])
            if wanted != given:
                raise ModelError(
                    f"{self.label} cannot be used: its transformer wants {wanted} {what}, "
                    f"its other parts give {given}."
                )


def pooled_embeddings(embeddings: Conditioning, like: "Tensor") -> "Tensor":
    """The embeddings of whole prompts, (b, width), unbounded, in the dtype of another tensor.

    Raises ModelError where there are none: another model made the embeddings.
    """
    if embeddings.pooled is None:
        raise ModelError("The words were embedded by another model.")
    return embeddings.pooled.to(like)


def _euler(scheduler: Any) -> Any:
    """The schedule of a flow scheduler, walked deterministically."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler.from_config(scheduler.config)


def is_folder_of(name: str, pipeline: str) -> bool:
    """Whether a path is a diffusers folder of a kind of pipeline."""
    try:
        index = json.loads((Path(name) / "model_index.json").read_text())
        return bool(index["_class_name"] == pipeline)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_folder(
    path: Path, pipeline: str, parts: Sequence[str], device: str, **absent: None
) -> Any:
    """All parts of a diffusers folder. Raises ModelError that says what is wrong with it."""
    import diffusers
    import torch

    refuse_incomplete(path, parts)
    # Half precision is the transformer's own; in the autoencoder it would be visible.
    small = torch.bfloat16 if device.startswith("cuda") else torch.float32
    with translate_checkpoint_errors(path):
        return getattr(diffusers, pipeline).from_pretrained(
            path,
            torch_dtype={"default": small, "vae": torch.float32},
            use_safetensors=True,
            local_files_only=True,
            **absent,
        )
