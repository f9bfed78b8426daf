"""Tiny random-weight pipelines of the real diffusers classes, made where a test needs them."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
MERGES = ("r e", "re d</w>", "c a", "ca t</w>", "d o", "do g</w>")


def _symbols() -> list[str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]


def tokenizer(folder: Path) -> Any:
    """A CLIP tokenizer that knows letters and a few words."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols = _symbols()
    words = [*symbols, *(s + "</w>" for s in symbols)]
    words += ["".join(merge.split()) for merge in MERGES] + [START, END]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    made: Any = CLIPTokenizer
    return made(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)


def pipeline(
    folder: Path, prediction_type: str = "epsilon", channels: int = 4, condition: int | None = None
) -> Any:
    """Text to image at 64 px with four latent channels; the same weights every time.

    ``condition`` is the width of the guidance that a latent-consistency network reads.
    """
    # The parts draw their weights in this order.
    torch.manual_seed(7)
    words = tokenizer(folder / "words")
    text, vae, unet = _text_encoder(words), _autoencoder(), _unet(channels, condition)
    return StableDiffusionPipeline(
        vae=vae,
        unet=unet,
        text_encoder=text,
        tokenizer=words,
        scheduler=_scheduler(prediction_type),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _text_encoder(words: Any) -> Any:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            projection_dim=32,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
        )
    )


def _autoencoder() -> Any:
    vae: Any = AutoencoderKL
    return vae(
        block_out_channels=(16, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
    )


def _unet(channels: int, condition: int | None) -> Any:
    unet: Any = UNet2DConditionModel
    return unet(
        sample_size=8,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
        time_cond_proj_dim=condition,
    )


def _scheduler(prediction_type: str) -> Any:
    scheduler: Any = DDIMScheduler
    return scheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )


def saved(folder: Path, prediction_type: str = "epsilon", channels: int = 4) -> Path:
    """The pipeline as a diffusers folder."""
    home = folder / f"tiny-{prediction_type}-{channels}"
    pipeline(folder, prediction_type, channels).save_pretrained(home, safe_serialization=True)
    return home
