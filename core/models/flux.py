"""FLUX.1 [dev] and [schnell], from a diffusers folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from core.catalog import ModelDefaults, backends
from core.diffusion.guidance import EMBEDDED_GUIDANCE
from core.diffusion.model import Conditioning, Model
from core.models.checkpoint_kind import FLUX, pipeline_class
from core.models.checkpoint_parts import translate_checkpoint_errors
from core.models.diffusers_flow import (
    CAPABILITIES,
    PATCH,
    DiffusersFlow,
    load_folder,
    pooled_embeddings,
)

if TYPE_CHECKING:
    from torch import Tensor

ROWS, FEWER_ROWS = 512, 256
"""Pieces that the T5 encoder reads for [dev] and for [schnell], as published."""
GUIDANCE = 3.5
"""The guidance value that [dev] is given where nobody asks for another, as published."""
FLUX_CAPABILITIES = CAPABILITIES | {EMBEDDED_GUIDANCE}


class Flux(DiffusersFlow):
    """The tokens of a prompt are those of T5; its pooled embedding is that of CLIP.

    The distilled network [dev] was trained to read its guidance scale as a number, which is a value
    for each row of a call; ``guidance`` is read where none is given. [schnell] reads none.
    """

    id = "diffusers-flux"
    capabilities = FLUX_CAPABILITIES

    def __init__(
        self, pipeline: Any, path: Path, device: str = "cpu", guidance: float = GUIDANCE
    ) -> None:
        self.is_guided = bool(pipeline.transformer.config["guidance_embeds"])
        rows = ROWS if self.is_guided else FEWER_ROWS
        super().__init__(pipeline, path, device, pipeline.tokenizer_2, rows)
        self.guidance = guidance
        self.native = int(self.vae.config["sample_size"])
        pooled = int(pipeline.text_encoder.config.hidden_size)
        self.refuse_unfitting(
            ("in_channels", "latent channels a token", self.channels * PATCH**2),
            ("pooled_projection_dim", "values for a whole prompt", pooled),
            (
                "joint_attention_dim",
                "values for a piece of text",
                int(pipeline.text_encoder_2.config.d_model),
            ),
        )

    def spacing(self, steps: int) -> list[float] | None:
        return [1 - step / steps for step in range(steps)]

    def embed_fresh(self, prompts: Sequence[str]) -> Conditioning:
        import torch

        with torch.no_grad():
            tokens, pooled, _ = self.pipeline.encode_prompt(
                list(prompts), device=self.device, max_sequence_length=self.rows
            )
        return Conditioning(tuple(prompts), tokens.float(), pooled.float())

    def pieces(self, prompt: str) -> tuple[str, ...]:
        return self.t5_pieces(prompt)

    def velocity(self, x: "Tensor", time: "Tensor", embeddings: Conditioning) -> "Tensor":
        """The transformer's output for latents on the straight path.

        x: (b, c, h, w) float, unbounded; time: (b,) float, 0..1000. Returns x's shape and dtype.
        """
        import torch

        scales = [self.guidance if scale is None else scale for scale in embeddings.scales()]
        guidance = torch.tensor(scales).to(time) if self.is_guided else None
        output: Tensor = self.transformer(
            hidden_states=pack_latents(x),
            timestep=time / 1000,
            guidance=guidance,
            encoder_hidden_states=embeddings.tokens.to(x),
            pooled_projections=pooled_embeddings(embeddings, x),
            txt_ids=x.new_zeros(embeddings.tokens.shape[1], 3),
            img_ids=_positions(x),
        ).sample
        return unpack_latents(output, x.shape[-2], x.shape[-1])


def pack_latents(x: "Tensor") -> "Tensor":
    """Put two by two cells into every token.

    x: (b, c, h, w) float, unbounded. Returns (b, h * w / 4, 4 * c), same dtype.
    """
    batch, channels, height, width = x.shape
    cells = x.reshape(batch, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def unpack_latents(tokens: "Tensor", height: int, width: int) -> "Tensor":
    """Undo ``pack_latents`` for latents of a height and width.

    tokens: (b, h * w / 4, 4 * c) float, unbounded. Returns (b, c, h, w), same dtype.
    """
    shape = (height // PATCH, width // PATCH, -1, PATCH, PATCH)
    cells = tokens.reshape(len(tokens), *shape).permute(0, 3, 1, 4, 2, 5)
    return cells.flatten(4).flatten(2, 3)


def _positions(x: "Tensor") -> "Tensor":
    """Row and column of every token of the picture."""
    import torch

    rows, columns = (torch.arange(side // PATCH, device=x.device) for side in x.shape[-2:])
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flatten(0, 1)
    return torch.cat([torch.zeros_like(grid[:, :1]), grid], 1).float()


@backends.register
class FluxBackend:
    """Your own FLUX.1 [dev] or [schnell], from a folder."""

    id: ClassVar[str] = "diffusers-flux"
    label: ClassVar[str] = "FLUX.1"
    capabilities: ClassVar[frozenset[str]] = FLUX_CAPABILITIES
    defaults: ClassVar[ModelDefaults] = ModelDefaults(GUIDANCE, embeds_guidance=True)

    @staticmethod
    def opens(name: str) -> bool:
        return pipeline_class(Path(name)) in FLUX

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
            return Flux(_load_parts(path, device), path, device)


def _load_parts(path: Path, device: str) -> Any:
    import diffusers
    import transformers as text

    parts = {
        "transformer": diffusers.FluxTransformer2DModel,
        "vae": diffusers.AutoencoderKL,
        "text_encoder": text.CLIPTextModel,
        "text_encoder_2": text.T5EncoderModel,
        "tokenizer": text.CLIPTokenizer,
        "tokenizer_2": text.T5Tokenizer,
    }
    return load_folder(path, parts, device, diffusers.FluxPipeline)
