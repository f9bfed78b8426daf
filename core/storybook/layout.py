"""The layout of a Storybook model folder, and how its network is called.

Folder (weights fp16 on disk)::

    storybook.json                          this Layout and the vocabulary
    unet/config.json, WEIGHTS               UNet2DConditionModel
    vae/config.json, WEIGHTS                the patch codec, see core.storybook.codec
    text_encoder/config.json, model.safetensors, tokenizer.json     BertModel (MiniLM)
    scheduler/scheduler_config.json         DDIMScheduler, v-prediction, zero terminal SNR

Calling the network: ``unet(network_input(z, mask, known), time, encoder_hidden_states=tokens)``
returns v = signal * eps - noise * x0, with z = signal * x0 + noise * eps, signal =
sqrt(alphas_cumprod()[time]) and time in 0..999; at 999 the signal is exactly zero.
Tokens are the encoder's last hidden states, ``context_length`` of them, with zeros after the last
token. The unconditional branch is the embedding of the empty prompt. Latents come normalised from
the codec (no further scale or shift), and each latent cell depends on its own picture patch alone.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = "diffusion_pytorch_model.safetensors"
DESCRIPTION = "storybook.json"
FOLDER = Path(__file__).resolve().parents[2] / "resources" / "models" / "storybook"


@dataclass(frozen=True)
class Layout:
    """Sizes and conventions of one Storybook model; ``widths`` are the UNet's channels by level."""

    image_size: int = 128
    factor: int = 8
    latent_channels: int = 16
    context_length: int = 24
    context_width: int = 384
    train_steps: int = 1000
    widths: tuple[int, ...] = (96, 160, 192)
    heads: int = 4
    prediction_type: str = "v_prediction"
    guidance: float = 3.0
    steps: int = 12

    @property
    def cells(self) -> int:
        """Side of the latent, in cells."""
        return self.image_size // self.factor

    @property
    def input_channels(self) -> int:
        """Noisy latent, mask, known latent: C + 1 + C."""
        return 2 * self.latent_channels + 1

    def unet_config(self) -> dict[str, Any]:
        """Keyword arguments of UNet2DConditionModel; the deepest level has no attention."""
        attended = len(self.widths) - 1
        return {
            "sample_size": self.cells,
            "in_channels": self.input_channels,
            "out_channels": self.latent_channels,
            "block_out_channels": self.widths,
            "down_block_types": ("CrossAttnDownBlock2D",) * attended + ("DownBlock2D",),
            "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * attended,
            "layers_per_block": 1,
            "cross_attention_dim": self.context_width,
            "attention_head_dim": self.heads,
            "norm_num_groups": 32,
        }

    def scheduler_config(self) -> dict[str, Any]:
        """The diffusers DDIMScheduler that walks this model."""
        return {
            "_class_name": "DDIMScheduler",
            "num_train_timesteps": self.train_steps,
            "beta_schedule": "squaredcos_cap_v2",
            "prediction_type": self.prediction_type,
            "rescale_betas_zero_snr": True,
            "timestep_spacing": "trailing",
            "clip_sample": False,
            "set_alpha_to_one": True,
        }

    def alphas_cumprod(self) -> npt.NDArray[np.float64]:
        """Compute the squared signal of each time, (n,) float64, 0..1.

        It is the cosine schedule, rescaled so that it ends at exactly zero.
        """
        edges = np.arange(self.train_steps + 1) / self.train_steps
        bar = np.cos((edges + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = np.minimum(1 - bar[1:] / bar[:-1], 0.999)
        signal = np.sqrt(np.cumprod(1 - betas))
        signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])
        return np.asarray(signal**2, dtype=np.float64)


def network_input(
    z: "Tensor", mask: "Tensor | None" = None, known: "Tensor | None" = None
) -> "Tensor":
    """Stack noisy latent, mask (1 = to be painted) and known latent (hidden where painted).

    z, known: (b, c, h, w) float, unbounded. mask: (b, 1, h, w) float, 0..1. Returns
    (b, 2 * c + 1, h, w), dtype of z. Without a mask everything is painted: the mask is one, the
    known latent zero.
    """
    import torch

    if mask is None or known is None:
        ones = torch.ones_like(z[:, :1])
        return torch.cat([z, ones, torch.zeros_like(z)], 1)
    mask = mask.to(z).expand(z.shape[0], 1, *z.shape[2:])
    known = (known.to(z) * (1 - mask)).expand_as(z)
    return torch.cat([z, mask, known], 1)


def write_layout(folder: Path, layout: Layout, extra: dict[str, Any]) -> None:
    """Write storybook.json and the scheduler's configuration."""
    (folder / "scheduler").mkdir(parents=True, exist_ok=True)
    text = json.dumps(layout.scheduler_config(), indent=1)
    (folder / "scheduler" / "scheduler_config.json").write_text(text + "\n")
    description = {"format": "sfumato-storybook-1", "layout": asdict(layout), **extra}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")


def read_description(folder: Path) -> dict[str, Any]:
    """Read all of storybook.json. Raises ModelError when it is missing or damaged."""
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"The Storybook model in {folder} cannot be read: {error}") from error
    if not isinstance(description, dict) or description.get("format") != "sfumato-storybook-1":
        raise ModelError(f"The Storybook model in {folder} has an unknown format")
    return description


def read_layout(folder: Path = FOLDER) -> Layout:
    """Read the Layout of a model folder. Raises ModelError when a newer version wrote it."""
    values = read_description(folder)["layout"]
    known = {field.name for field in fields(Layout)}
    if set(values) - known:
        raise ModelError(f"The Storybook model in {folder} comes from a newer version")
    return Layout(**{**values, "widths": tuple(values["widths"])})


def build_unet(layout: Layout) -> Any:
    """Build an untrained UNet2DConditionModel of this layout."""
    from diffusers import UNet2DConditionModel

    network: Any = UNet2DConditionModel
    return network(**layout.unet_config())


def load_unet(folder: Path = FOLDER) -> Any:
    """Load the UNet2DConditionModel of a folder, in float32 and evaluation mode.

    Raises ModelError when it cannot be read.
    """
    import torch
    from diffusers import UNet2DConditionModel

    try:
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"The Storybook network in {folder} cannot be read: {error}") from error
    return unet.eval()
