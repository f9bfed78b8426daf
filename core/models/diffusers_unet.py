"""Stable Diffusion 1.x and 2.x checkpoints: a diffusers folder or a single .safetensors file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from core.catalog import ModelDefaults, backends
from core.diffusion.attention import AttentionCall, FeatureTap
from core.diffusion.guidance import EMBEDDED_GUIDANCE
from core.diffusion.model import Conditioning, KnownRegion, Level, Levels, Model, Prediction
from core.models.attention import control_attention
from core.models.autoencoder import AutoencoderModel
from core.models.checkpoint_kind import STABLE_DIFFUSION, check_checkpoint, pipeline_class
from core.models.checkpoint_parts import translate_checkpoint_errors
from core.models.checkpoints import load_pipeline
from core.models.features import tap_features
from core.models.files import PICKLES, SAFE, fingerprint, is_safetensors
from core.models.parametrisation import to_prediction
from core.models.prompt_length import encoder_limit, ends_by
from core.models.schedules import ScheduleLevels

if TYPE_CHECKING:
    from torch import Tensor

CAPABILITIES = frozenset({"attention", "self-attention", "gradient"})


MARKS = 2
"""Tokens for the start and the end of a prompt."""


class DiffusersUNet(AutoencoderModel):
    """UNet, KL autoencoder and CLIP text encoder of one checkpoint; latents are float32."""

    id = "diffusers-unet"
    capabilities = CAPABILITIES

    def __init__(self, pipeline: Any, path: Path, device: str = "cpu") -> None:
        super().__init__()
        self.label = path.stem
        self.identity = fingerprint(path)
        self.device = device
        self.unet = pipeline.unet.to(device).eval().requires_grad_(False)
        self.vae = pipeline.vae.to(device).eval().requires_grad_(False)
        self.text = pipeline.text_encoder.to(device).eval().requires_grad_(False)
        self.tokenizer = pipeline.tokenizer
        positions = int(self.text.config.max_position_embeddings)
        self.length = encoder_limit(self.tokenizer.model_max_length, positions)
        self.token_limit = self.length - MARKS
        self.channels = int(self.unet.config["out_channels"])
        self.factor = 2 ** (len(self.vae.config["block_out_channels"]) - 1)
        self.multiple = self.factor * 2 ** (len(self.unet.config["block_out_channels"]) - 1)
        self.native = int(self.unet.config["sample_size"]) * self.factor
        if int(self.unet.config["in_channels"]) == 2 * self.channels + 1:
            self.capabilities = CAPABILITIES | {"inpaint"}
        if self.unet.config["time_cond_proj_dim"] is not None:
            self.capabilities |= {EMBEDDED_GUIDANCE}
        self._schedule = ScheduleLevels(pipeline.scheduler)
        self.prediction_type = self._schedule.prediction_type

    def levels(self, steps: int) -> Levels:
        """The checkpoint's own spacing; the last level is its own final alpha, 1 or alpha(0)."""
        return self._schedule(steps)

    def embed_fresh(self, prompts: Sequence[str]) -> Conditioning:
        import torch

        ids = self.tokenizer(
            list(prompts),
            padding="max_length",
            max_length=self.length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        with torch.no_grad():
            states = self.text(ids.to(self.device))[0].float()
        return Conditioning(tuple(prompts), states)

    def token_ends(self, prompt: str) -> list[int]:
        return ends_by(self.tokenizer, prompt)

    def pieces(self, prompt: str) -> tuple[str, ...]:
        ids = self.tokenizer(prompt, truncation=True, max_length=self.length).input_ids
        return tuple(self.tokenizer.convert_ids_to_tokens(ids))

    def predict(
        self,
        z: "Tensor",
        level: Level,
        label: Level,
        embeddings: Conditioning,
        known: KnownRegion | None,
    ) -> Prediction:
        import torch

        dtype = self.unet.dtype
        inputs = z if "inpaint" not in self.capabilities else _with_known(z, known)
        time = torch.tensor(label.time, device=z.device)
        with torch.set_grad_enabled(z.requires_grad or embeddings.tokens.requires_grad):
            output = self.unet(
                inputs.to(dtype),
                time,
                timestep_cond=self._guidance_embedding(embeddings),
                encoder_hidden_states=embeddings.tokens.to(dtype),
            ).sample.float()
        return to_prediction(self.prediction_type, output, z, level, label)

    def _guidance_embedding(self, embeddings: Conditioning) -> "Tensor | None":
        """The scales that a latent-consistency network reads, (b, width); None where none is given.

        As in diffusers: sines and cosines of 1000 times the scale less one. A row without a scale
        is told 1.
        """
        import torch
        from diffusers.models.embeddings import get_timestep_embedding

        width = self.unet.config["time_cond_proj_dim"]
        scales = embeddings.scales()
        if width is None or all(scale is None for scale in scales):
            return None
        excess = torch.tensor([1000 * ((scale or 1.0) - 1) for scale in scales], device=self.device)
        found: Tensor = get_timestep_embedding(
            excess, int(width), flip_sin_to_cos=False, downscale_freq_shift=1
        )
        return found.to(self.unet.dtype)

    @contextmanager
    def attention(self, control: AttentionCall) -> Iterator[None]:
        with control_attention(self.unet, control):
            yield

    @contextmanager
    def features(self, tap: FeatureTap) -> Iterator[None]:
        with tap_features(self.unet, tap):
            yield


def _with_known(z: "Tensor", known: KnownRegion | None) -> "Tensor":
    """Latent, mask, masked latent, as nine-channel inpainting networks want them."""
    import torch

    if known is None:
        return torch.cat([z, torch.ones_like(z[:, :1]), torch.zeros_like(z)], 1)
    mask = known.mask.to(z).expand(z.shape[0], -1, -1, -1)
    kept = known.x0.to(z).expand_as(z) * (1 - mask)
    return torch.cat([z, mask, kept], 1)


@backends.register
class DiffusersUNetBackend:
    """Your own Stable Diffusion 1.x or 2.x checkpoint, from a folder or a .safetensors file."""

    id: ClassVar[str] = "diffusers-unet"
    label: ClassVar[str] = "Stable Diffusion 1.x / 2.x"
    capabilities: ClassVar[frozenset[str]] = CAPABILITIES
    defaults: ClassVar[ModelDefaults] = ModelDefaults(7.5)

    @staticmethod
    def opens(name: str) -> bool:
        path = Path(name)
        is_file = path.suffix.lower() in {SAFE, *PICKLES} or is_safetensors(path)
        return is_file or pipeline_class(path) in STABLE_DIFFUSION

    @staticmethod
    def unknown_words(name: str, text: str) -> tuple[str, ...]:
        """Nothing: what such a model was taught is not written down."""
        return ()

    @staticmethod
    def why_unavailable() -> str:
        return ""

    @staticmethod
    def load(name: str, device: str = "cpu") -> Model:
        path = Path(name)
        check_checkpoint(path)
        with translate_checkpoint_errors(path):
            return DiffusersUNet(load_pipeline(path, device), path, device)
