"""A tiny pipeline written as original Stable Diffusion checkpoints are: one file, old names."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file

if TYPE_CHECKING:
    import torch

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
OUTER = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def save_single_file(pipeline: Any, path: Path) -> Path:
    """Write UNet, autoencoder and text encoder under their original names."""
    state: dict[str, torch.Tensor] = {}
    per_level = int(pipeline.unet.config["layers_per_block"])
    for name, value in pipeline.unet.state_dict().items():
        state["model.diffusion_model." + _unet_name(name, per_level)] = value
    levels = len(pipeline.vae.config["block_out_channels"])
    for name, value in pipeline.vae.state_dict().items():
        old = "first_stage_model." + _vae_name(name, levels)
        is_projection = re.search(r"attn_1\.(q|k|v|proj_out)\.weight", old)
        state[old] = value[..., None, None] if is_projection else value
    for name, value in pipeline.text_encoder.state_dict().items():
        inner = name if name.startswith("text_model.") else "text_model." + name
        state["cond_stage_model.transformer." + inner] = value
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    return path


def _unet_name(name: str, layers: int) -> str:
    for new, old in OUTER.items():
        if name.startswith(new + "."):
            return old + name[len(new) :]
    found = re.match(r"down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name)
    if found:
        place = (layers + 1) * int(found[1]) + int(found[3]) + 1
        return _inner(f"input_blocks.{place}", found[2], found[4])
    found = re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name)
    if found:
        return f"input_blocks.{(layers + 1) * (int(found[1]) + 1)}.0.op.{found[2]}"
    found = re.match(r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name)
    if found:
        place = (layers + 1) * int(found[1]) + int(found[3])
        return _inner(f"output_blocks.{place}", found[2], found[4])
    found = re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.(.*)", name)
    if found:
        level = int(found[1])
        third = 1 if level == 0 else 2
        return f"output_blocks.{(layers + 1) * level + layers}.{third}.{found[2]}"
    found = re.match(r"mid_block\.resnets\.(\d+)\.(.*)", name)
    if found:
        return _resnet(f"middle_block.{2 * int(found[1])}", found[2])
    return name.replace("mid_block.attentions.0.", "middle_block.1.")


def _inner(block: str, kind: str, rest: str) -> str:
    return _resnet(f"{block}.0", rest) if kind == "resnets" else f"{block}.1.{rest}"


def _resnet(block: str, rest: str) -> str:
    head, tail = rest.split(".", 1)
    return f"{block}.{RESNET[head]}.{tail}"


def _vae_name(name: str, levels: int) -> str:
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    name = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0\.", r"down.\1.downsample.", name)
    name = re.sub(
        r"up_blocks\.(\d+)\.resnets\.", lambda m: f"up.{levels - 1 - int(m[1])}.block.", name
    )
    name = re.sub(
        r"up_blocks\.(\d+)\.upsamplers\.0\.",
        lambda m: f"up.{levels - 1 - int(m[1])}.upsample.",
        name,
    )
    name = re.sub(r"mid_block\.resnets\.(\d+)\.", lambda m: f"mid.block_{int(m[1]) + 1}.", name)
    for new, old in (
        ("group_norm.", "norm."),
        ("to_q.", "q."),
        ("to_k.", "k."),
        ("to_v.", "v."),
        ("to_out.0.", "proj_out."),
    ):
        name = name.replace("mid_block.attentions.0." + new, "mid.attn_1." + old)
    return name
