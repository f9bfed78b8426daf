"""Rectified-flow transformers from a diffusers folder: what Stable Diffusion 3 and FLUX share."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.diffusion.attention import AttentionCall
from core.diffusion.model import Conditioning, KnownRegion, Level, Levels, Prediction
from core.diffusion.rectified_flow import scale_of
from core.errors import ModelError
from core.models.autoencoder import AutoencoderModel
from core.models.checkpoint_parts import (
    load_network,
    load_scheduler,
    load_tokenizer,
    refuse_incomplete,
    translate_checkpoint_errors,
)
from core.models.files import fingerprint
from core.models.joint_attention import control_attention
from core.models.parametrisation import flow_to_prediction
from core.models.prompt_length import encoder_limit, ends_by

if TYPE_CHECKING:
    from torch import Tensor

CAPABILITIES = frozenset({"joint-attention", "self-attention", "gradient"})
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
        self.rows = encoder_limit(getattr(t5, "model_max_length", rows), rows)
        positions = int(pipeline.text_encoder.config.max_position_embeddings)
        clip = encoder_limit(pipeline.tokenizer.model_max_length, positions)
        self.token_limit = self.rows - 1 if t5 else clip - 2
        for tokenizer in (pipeline.tokenizer, getattr(pipeline, "tokenizer_2", None)):
            if tokenizer is not None and tokenizer is not t5:
                tokenizer.model_max_length = clip
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

    def token_ends(self, prompt: str) -> list[int]:
        """By the encoder that reads most."""
        return ends_by(self.t5 or self.pipeline.tokenizer, prompt)

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


def load_folder(path: Path, parts: Mapping[str, Any], device: str, make: Callable[..., Any]) -> Any:
    """The pipeline that ``make`` builds of the parts of a folder.

    ``parts`` are the classes of networks and tokenizers by the name of their part, None for one
    that is left out. Raises ModelError that says what is wrong with the folder.
    """
    import torch

    # Half precision is the transformer's own; in the autoencoder it would be visible.
    small = torch.bfloat16 if device.startswith("cuda") else torch.float32
    with translate_checkpoint_errors(path):
        refuse_incomplete(path, [name for name in ("scheduler", *parts) if parts.get(name, 1)])
        loaded: dict[str, Any] = {"scheduler": load_scheduler(path / "scheduler")}
        for name, kind in parts.items():
            if kind is None:
                loaded[name] = None
            elif name.startswith("tokenizer"):
                loaded[name] = load_tokenizer(kind, path / name)
            else:
                dtype = torch.float32 if name == "vae" else small
                loaded[name] = load_network(kind, path / name, dtype)
        return make(**loaded)
