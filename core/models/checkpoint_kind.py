"""Says what a checkpoint is by what it holds: key names, shapes, the class of its pipeline."""

from pathlib import Path

from core.errors import ModelError
from core.models.files import (
    SAFE,
    Weights,
    is_folder,
    is_regular,
    is_safetensors,
    is_there,
    read_json,
    read_weights,
    refuse_pickle,
)

INDEX = "model_index.json"
OPENS = (
    "Sfumato opens Stable Diffusion 1.x and 2.x as a file or a diffusers folder, "
    "Stable Diffusion 3 and FLUX.1 as a folder"
)
UNET = "model.diffusion_model."
FIRST = UNET + "input_blocks.0.0.weight"
KEY = UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
"""It tells by its shape how wide the text of Stable Diffusion 1.x and 2.x is."""

STABLE_DIFFUSION = frozenset(
    {
        "StableDiffusionPipeline",
        "StableDiffusionPipelineSafe",
        "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline",
        "StableDiffusionInpaintPipelineLegacy",
        "LatentConsistencyModelPipeline",
        "LatentConsistencyModelImg2ImgPipeline",
    }
)
STABLE_DIFFUSION_3 = frozenset(
    {
        "StableDiffusion3Pipeline",
        "StableDiffusion3Img2ImgPipeline",
        "StableDiffusion3InpaintPipeline",
    }
)
FLUX = frozenset({"FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"})
"""Classes of pipelines with the same parts: what they do with them is Sfumato's own affair."""

CHANNELS = {
    5: "reads a depth map (5 input channels)",
    7: "enlarges another picture (7 input channels)",
    8: "reads a second picture (8 input channels, as InstructPix2Pix does)",
}
"""What networks with other inputs than latent, or latent, mask and known latent, need."""

MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("a LoRA, which changes a model and is none", ("lora_", ".lora", "hada_w", "lokr_w", ".oft_")),
    ("a ControlNet, which steers a model and is none", ("control_model.", "controlnet_")),
    ("a ControlNet, which steers a model and is none", ("input_hint_block.",)),
    ("an IP-Adapter, which steers a model and is none", ("image_proj.", "ip_adapter.")),
    ("a motion module, which animates a model and is none", ("motion_modules.",)),
    ("Stable Diffusion XL", ("conditioner.embedders.", UNET + "label_emb.")),
    ("Stable Diffusion 3 as a file; open it as a folder", ("joint_blocks.",)),
    ("FLUX as a file; open it as a folder", ("double_blocks.", "single_transformer_blocks.")),
    ("an embedding, which gives a model a word and is none", ("emb_params", "string_to_param")),
    ("another kind of network", (UNET,)),
    ("an autoencoder (VAE) alone", ("first_stage_model.", "decoder.conv_in.", "decoder.mid")),
    ("a text encoder alone", ("text_model.", "encoder.block.", "resblocks.")),
    ("the network alone, without autoencoder and text encoder", ("input_blocks.", "down_blocks.")),
)
"""What a file is, and pieces of key names that only such files have; the first that fits counts."""
EMBEDDING_WIDTHS = {768, 1024, 1280}
MAX_EMBEDDING_KEYS = 2


def check_checkpoint(path: Path) -> None:
    """Judge a file or folder by what it holds, without loading its weights.

    Raises ModelError with one sentence when it cannot be used.
    """
    if is_folder(path):
        refuse_foreign_folder(path)
    elif not is_there(path):
        raise ModelError(f"The checkpoint {path} does not exist; was it moved?")
    else:
        refuse_pickle(path)
        refuse_foreign_weights(path.name, read_weights(path))


def is_weights_file(path: Path) -> bool:
    """Whether a path is meant as a checkpoint in one file: by its name or its first bytes."""
    return path.suffix.lower() == SAFE or is_safetensors(path)


def pipeline_class(folder: Path) -> str:
    """The class of the pipeline in a diffusers folder; empty when it cannot be read."""
    try:
        return _read_class(folder)
    except ModelError:
        return ""


def refuse_foreign_folder(folder: Path) -> None:
    """Raises ModelError that says why a folder is not one of the kinds that can be opened."""
    if not is_regular(folder / INDEX):
        raise ModelError(f"{folder} is no model that Sfumato knows: it holds no {INDEX}.")
    kind = _read_class(folder)
    if kind not in STABLE_DIFFUSION | STABLE_DIFFUSION_3 | FLUX:
        raise ModelError(f"{folder.name} is a {kind or 'folder of no kind'}: {OPENS}.")


def _read_class(folder: Path) -> str:
    kind = read_json(folder / INDEX).get("_class_name", "")
    # Some writers give the module besides the class.
    kind = kind[-1] if isinstance(kind, list) and kind else kind
    if not isinstance(kind, str):
        raise ModelError(f"{folder.name}/{INDEX} is damaged: it names no class.")
    return kind[:80].encode("ascii", "backslashreplace").decode()


def refuse_foreign_weights(name: str, weights: Weights) -> None:
    """Raises ModelError that says what a single file is, unless it is Stable Diffusion 1 or 2."""
    shapes = weights.shapes
    if FIRST not in shapes or KEY not in shapes:
        raise ModelError(f"{name} {_describe(weights)}.")
    if any(key.startswith(UNET + "label_emb.") for key in shapes):
        raise ModelError(f"{name} reads a picture in place of words (unCLIP): {OPENS}.")
    refuse_channels(name, _side(shapes[FIRST]))
    for prefix, part in (
        ("first_stage_model.", "autoencoder (VAE)"),
        ("cond_stage_model.", "text encoder"),
    ):
        if not any(key.startswith(prefix) for key in shapes):
            raise ModelError(f"{name} holds no {part}: choose a file of the whole model.")


def text_width(weights: Weights) -> int:
    """How wide the text is that the network of a single file reads."""
    return _side(weights.shapes[KEY])


def input_channels(weights: Weights) -> int:
    """How many channels the network of a single file takes."""
    return _side(weights.shapes[FIRST])


def refuse_channels(name: str, channels: int) -> None:
    """Raises ModelError for a network that takes other inputs than a latent and what is known."""
    if channels in {4, 9}:
        return
    what = CHANNELS.get(channels, f"takes {channels} input channels")
    raise ModelError(
        f"{name} {what}; Sfumato opens networks with 4 input channels, or 9 for inpainting."
    )


def _side(shape: tuple[int, ...]) -> int:
    return shape[1] if len(shape) > 1 else 0


def _describe(weights: Weights) -> str:
    keys = list(weights.shapes)
    for what, signs in MARKS:
        if any(sign in key for key in keys for sign in signs):
            return f"is {what}: {OPENS}"
    widths = {shape[-1] for shape in weights.shapes.values() if shape}
    if 0 < len(keys) <= MAX_EMBEDDING_KEYS and widths <= EMBEDDING_WIDTHS and widths:
        return f"is an embedding, which gives a model a word and is none: {OPENS}"
    return f"holds no Stable Diffusion 1.x or 2.x network: {OPENS}"
