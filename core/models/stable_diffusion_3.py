"""Stable Diffusion 3 and 3.5, from a diffusers folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from core.catalog import ModelDefaults, backends
from core.diffusion.model import Conditioning, Model
from core.models.checkpoint_kind import STABLE_DIFFUSION_3, pipeline_class
from core.models.checkpoint_parts import translate_checkpoint_errors
from core.models.diffusers_flow import (
    CAPABILITIES,
    DiffusersFlow,
    load_folder,
    pooled_embeddings,
)
from core.models.files import is_folder

if TYPE_CHECKING:
    from torch import Tensor

ROWS = 256
"""Pieces that the T5 encoder reads, as published."""


class StableDiffusion3(DiffusersFlow):
    """The tokens of a prompt are those of both CLIP encoders, joined in width, then those of T5."""

    id = "diffusers-sd3"

    def __init__(self, pipeline: Any, path: Path, device: str = "cpu") -> None:
        super().__init__(pipeline, path, device, pipeline.tokenizer_3, ROWS)
        self.native = int(self.transformer.config["sample_size"]) * self.factor
        encoders = (pipeline.text_encoder, pipeline.text_encoder_2)
        pooled = sum(int(encoder.config.projection_dim) for encoder in encoders)
        self.refuse_unfitting(
            ("in_channels", "latent channels", self.channels),
            ("pooled_projection_dim", "values for a whole prompt", pooled),
        )
        if self.t5 is not None:
            width = int(pipeline.text_encoder_3.config.d_model)
            self.refuse_unfitting(("joint_attention_dim", "values for a piece of text", width))

    def embed_fresh(self, prompts: Sequence[str]) -> Conditioning:
        import torch

        with torch.no_grad():
            tokens, _, pooled, _ = self.pipeline.encode_prompt(
                list(prompts),
                None,
                None,
                device=self.device,
                do_classifier_free_guidance=False,
                max_sequence_length=self.rows,
            )
        return Conditioning(tuple(prompts), tokens.float(), pooled.float())

    def pieces(self, prompt: str) -> tuple[str, ...]:
        """The pieces of CLIP, with their padding where those of T5 follow."""
        clip = self.pipeline.tokenizer
        padding = "max_length" if self.t5 else False
        ids = clip(prompt, truncation=True, padding=padding).input_ids
        pieces = tuple(clip.convert_ids_to_tokens(ids))
        return pieces + self.t5_pieces(prompt) if self.t5 else pieces

    def velocity(self, x: "Tensor", time: "Tensor", embeddings: Conditioning) -> "Tensor":
        """The transformer's output for latents on the straight path.

        x: (b, c, h, w) float, unbounded; time: (b,) float, 0..1000. Returns x's shape and dtype.
        """
        output: Tensor = self.transformer(
            hidden_states=x,
            timestep=time,
            encoder_hidden_states=embeddings.tokens.to(x),
            pooled_projections=pooled_embeddings(embeddings, x),
        ).sample
        return output


@backends.register
class StableDiffusion3Backend:
    """Your own Stable Diffusion 3 or 3.5, from a folder; it may come without its T5 encoder."""

    id: ClassVar[str] = "diffusers-sd3"
    label: ClassVar[str] = "Stable Diffusion 3 / 3.5"
    capabilities: ClassVar[frozenset[str]] = CAPABILITIES
    defaults: ClassVar[ModelDefaults] = ModelDefaults(7.0)

    @staticmethod
    def opens(name: str) -> bool:
        return pipeline_class(Path(name)) in STABLE_DIFFUSION_3

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
        with translate_checkpoint_errors(path):
            return StableDiffusion3(_load_parts(path, device), path, device)


def _load_parts(path: Path, device: str) -> Any:
    import diffusers
    import transformers as text

    has_t5 = is_folder(path / "text_encoder_3")
    parts = {
        "transformer": diffusers.SD3Transformer2DModel,
        "vae": diffusers.AutoencoderKL,
        "text_encoder": text.CLIPTextModelWithProjection,
        "text_encoder_2": text.CLIPTextModelWithProjection,
        "tokenizer": text.CLIPTokenizer,
        "tokenizer_2": text.CLIPTokenizer,
        "text_encoder_3": text.T5EncoderModel if has_t5 else None,
        "tokenizer_3": text.T5Tokenizer if has_t5 else None,
    }
    return load_folder(path, parts, device, diffusers.StableDiffusion3Pipeline)
