"""Reads Stable Diffusion 1.x and 2.x checkpoints: offline, and from safetensors only."""

import re
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.models.checkpoint_kind import (
    INDEX,
    input_channels,
    refuse_channels,
    refuse_foreign_weights,
    text_width,
)
from core.models.checkpoint_parts import (
    load_network,
    load_scheduler,
    load_tokenizer,
    refuse_foreign_configuration,
    refuse_incomplete,
    translate_checkpoint_errors,
)
from core.models.files import Weights, is_folder, is_regular, read_json, read_weights

CONFIGS = Path(__file__).resolve().parents[2] / "resources" / "checkpoints"
"""diffusers configurations (no weights) of the kinds a single file can be of."""
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
WIDTHS = {768: "sd1", 1024: "sd2"}
OTHER_INPUTS = ("addition_embed_type", "class_embed_type", "num_class_embeds")
"""Settings of networks that read something besides the latent, the time and the words."""
PREDICTION = "modelspec.prediction_type"
"""Where a file's header may say what its network predicts."""


def load_pipeline(path: Path, device: str = "cpu") -> Any:
    """All parts of a checkpoint. Raises ModelError that names the file and its fault."""
    with translate_checkpoint_errors(path):
        return _from_folder(path, device) if is_folder(path) else _from_file(path, device)


def _dtype(device: str) -> Any:
    import torch

    return torch.float16 if device.startswith("cuda") else torch.float32


def _pipeline(unet: Any, vae: Any, text_encoder: Any, tokenizer: Any, scheduler: Any) -> Any:
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline(
        unet=unet,
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def check_folder(folder: Path) -> None:
    """Raises ModelError for a folder whose parts are incomplete, or whose network differs."""
    refuse_incomplete(folder, PARTS)
    config = read_json(folder / "unet" / "config.json")
    channels = config.get("in_channels", 4)
    refuse_channels(folder.name, channels if isinstance(channels, int) else 0)
    for name in OTHER_INPUTS:
        if config.get(name) is not None:
            raise ModelError(
                f"{folder.name} cannot be used: its network reads more than words ({name})."
            )


def _from_folder(folder: Path, device: str) -> Any:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    check_folder(folder)
    dtype = _dtype(device)
    return _pipeline(
        load_network(UNet2DConditionModel, folder / "unet", dtype),
        load_network(AutoencoderKL, folder / "vae", dtype),
        load_network(CLIPTextModel, folder / "text_encoder", dtype),
        load_tokenizer(CLIPTokenizer, folder / "tokenizer"),
        load_scheduler(folder / "scheduler"),
    )


def _from_file(path: Path, device: str) -> Any:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from safetensors.torch import load_file
    from transformers import CLIPTokenizer

    weights = read_weights(path)
    refuse_foreign_weights(path.name, weights)
    config = _config_for(path, weights)
    kinds: tuple[Any, Any] = (UNet2DConditionModel, AutoencoderKL)
    state, dtype = load_file(path), _dtype(device)
    shared = {"config": str(config), "torch_dtype": dtype, "local_files_only": True}
    # The conversions take entries out of the dictionary that they get.
    unet = kinds[0].from_single_file(
        dict(state), subfolder="unet", in_channels=input_channels(weights), **shared
    )
    vae = kinds[1].from_single_file(dict(state), subfolder="vae", **shared)
    is_own = config.parent != CONFIGS
    tokenizer = load_tokenizer(CLIPTokenizer, config / "tokenizer") if is_own else clip_tokenizer()
    text = _text_encoder(state, config, dtype)
    for network, what in ((unet, "network"), (vae, "autoencoder"), (text, "text encoder")):
        _refuse_gaps(network, path.name, what)
    pipeline = _pipeline(unet, vae, text, tokenizer, load_scheduler(config / "scheduler"))
    if config == CONFIGS / "sd2" and not _predicts_velocity(path, weights):
        pipeline.scheduler.register_to_config(prediction_type="epsilon")
        pipeline.unet.register_to_config(sample_size=64)
    return pipeline


def _text_encoder(state: dict[str, Any], config: Path, dtype: Any) -> Any:
    from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
    from transformers import CLIPTextModel

    return create_diffusers_clip_model_from_ldm(
        CLIPTextModel,
        checkpoint=dict(state),
        subfolder="text_encoder",
        config=str(config),
        torch_dtype=dtype,
        local_files_only=True,
    )


def _refuse_gaps(network: Any, name: str, what: str) -> None:
    """Raises ModelError when weights of a network were not in the file."""
    gap = next((key for key, value in network.named_parameters() if value.is_meta), None)
    if gap is not None:
        raise ModelError(f"{name} is not whole: its {what} lacks {gap}.")


def _predicts_velocity(path: Path, weights: Weights) -> bool:
    """Whether a 2.x network predicts velocity, as those for 768 pixels do.

    Both kinds of 2.x have the same shapes: the header may say it; else only the name does.
    """
    named = weights.texts.get(PREDICTION, "").lower()
    if named:
        return named.startswith("v")
    return input_channels(weights) == 4 and not re.search("base|512", path.stem)


def clip_tokenizer() -> Any:
    """CLIP's tokenizer from the vocabulary that ships with Sfumato."""
    from transformers import CLIPTokenizer

    return load_tokenizer(CLIPTokenizer, CONFIGS / "tokenizer")


def _config_for(path: Path, weights: Weights) -> Path:
    """A configuration of the same name next to the file, or the one that fits its weights."""
    folder = path.with_suffix("")
    if is_regular(folder / INDEX):
        refuse_foreign_configuration(folder, PARTS, weights)
        return folder
    kind = WIDTHS.get(text_width(weights))
    if kind is None:
        raise ModelError(
            f"{path.name} is of another kind (text width {text_width(weights)}): "
            "Sfumato opens Stable Diffusion 1.x and 2.x."
        )
    return CONFIGS / kind
