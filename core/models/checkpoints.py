"""Reads Stable Diffusion checkpoints with diffusers: offline, and from safetensors only."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ModelError

CONFIGS = Path(__file__).resolve().parents[2] / "resources" / "checkpoints"
"""diffusers configurations (no weights) of the kinds a single file can be of."""
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
KEY = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
WIDTHS = {768: "sd1", 1024: "sd2"}


def load_pipeline(path: Path, device: str = "cpu") -> Any:
    """All parts of a checkpoint. Raises ModelError that names the file and its fault."""
    if path.is_dir():
        refuse_incomplete(path, PARTS)
    with translate_checkpoint_errors(path):
        return _from_folder(path, device) if path.is_dir() else _from_file(path, device)


@contextmanager
def translate_checkpoint_errors(path: Path) -> Iterator[None]:
    """Raises ModelError, with one sentence, in place of what goes wrong while a file is read."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise ModelError(f"{path.name} is damaged or cut short ({error}).") from error
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path.name} cannot be used: {_first_line(error)}") from error


def refuse_incomplete(folder: Path, parts: Sequence[str]) -> None:
    """Raises ModelError that names the first part that is missing or has no safe weights."""
    missing = [part for part in parts if not (folder / part).is_dir()]
    if missing:
        raise ModelError(f"{folder.name} is not a whole checkpoint: {missing[0]}/ is missing.")
    for part in parts:
        is_plain = part.startswith(("tokenizer", "scheduler"))
        if not is_plain and not any((folder / part).glob("*.safetensors")):
            raise ModelError(
                f"{folder.name}/{part} holds no .safetensors weights; "
                "Sfumato does not open pickled ones."
            )


def _dtype(device: str) -> Any:
    import torch

    return torch.float16 if device.startswith("cuda") else torch.float32


def _from_folder(folder: Path, device: str) -> Any:
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(
        folder,
        torch_dtype=_dtype(device),
        use_safetensors=True,
        local_files_only=True,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _from_file(path: Path, device: str) -> Any:
    from diffusers import StableDiffusionPipeline

    config = _config_for(path)
    shipped = {"tokenizer": clip_tokenizer()} if config.parent == CONFIGS else {}
    pipeline = StableDiffusionPipeline.from_single_file(
        str(path),
        config=str(config),
        torch_dtype=_dtype(device),
        local_files_only=True,
        safety_checker=None,
        **shipped,
    )
    if config == CONFIGS / "sd2" and re.search("base|512", path.stem):
        # Both kinds of 2.x have the same shapes; only the name tells the 512 px ones apart.
        pipeline.scheduler.register_to_config(prediction_type="epsilon")
        pipeline.unet.register_to_config(sample_size=64)
    return pipeline


def clip_tokenizer() -> Any:
    """CLIP's tokenizer from the vocabulary that ships with Sfumato."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(CONFIGS / "tokenizer", local_files_only=True)


def _config_for(path: Path) -> Path:
    """A configuration of the same name next to the file, or the one that fits its weights."""
    folder = path.with_suffix("")
    if (folder / "model_index.json").is_file():
        return folder
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as weights:
        if KEY not in weights.keys():  # noqa: SIM118 - not a dictionary
            raise ModelError(f"{path.name} holds no Stable Diffusion 1.x or 2.x network.")
        width = int(weights.get_slice(KEY).get_shape()[1])
        kind = WIDTHS.get(width)
        if kind is None:
            raise ModelError(
                f"{path.name} is of another kind (text width {width}): "
                "Sfumato opens Stable Diffusion 1.x and 2.x."
            )
    return CONFIGS / kind


def _first_line(error: BaseException) -> str:
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return re.sub(r"\s+", " ", text)[:240]
