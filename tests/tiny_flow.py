"""Tiny random-weight rectified-flow pipelines of the real diffusers classes."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from core.models.opening import open_model
from tests import tiny

WIDTH = 32
"""Of T5's states, which both networks read."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ("▁a", "▁red", "▁cat", "▁dog")


def sentencepieces() -> Any:
    """A T5 tokenizer that knows letters and a few words, and reads twelve pieces."""
    made: Any = T5Tokenizer
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    vocab += [(letter, -5.0) for letter in LETTERS] + [(word, -1.0) for word in WORDS]
    return made(vocab=vocab, extra_ids=0, model_max_length=12)


def t5(pieces: Any) -> Any:
    return T5EncoderModel(
        T5Config(
            vocab_size=len(pieces),
            d_model=WIDTH,
            d_kv=8,
            d_ff=32,
            num_layers=1,
            num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    ).eval()


def clip(kind: Any, words: Any, width: int) -> Any:
    return kind(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=width,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            projection_dim=width,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.eos_token_id,
        )
    ).eval()


def autoencoder(channels: int, scale: float, shift: float) -> Any:
    """For 64 px, eight pixels a cell."""
    vae: Any = AutoencoderKL
    return vae(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=64,
        scaling_factor=scale,
        shift_factor=shift,
        use_quant_conv=False,
        use_post_quant_conv=False,
    ).eval()


def schedule(**changes: Any) -> Any:
    scheduler: Any = FlowMatchEulerDiscreteScheduler
    return scheduler(**changes)


def sd3(folder: Path, *, has_t5: bool = True) -> Any:
    """Stable Diffusion 3.5 in small, one of its two blocks with attention of the picture alone."""
    torch.manual_seed(7)
    words = tiny.tokenizer(folder / "words")
    pieces = sentencepieces()
    transformer: Any = SD3Transformer2DModel
    return StableDiffusion3Pipeline(
        transformer=transformer(
            sample_size=8,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            caption_projection_dim=16,
            pooled_projection_dim=24,
            pos_embed_max_size=12,
            dual_attention_layers=(0,),
            qk_norm="rms_norm",
        ).eval(),
        scheduler=schedule(shift=3.0),
        vae=autoencoder(4, 1.5305, 0.0609),
        text_encoder=clip(CLIPTextModelWithProjection, words, 8),
        tokenizer=words,
        text_encoder_2=clip(CLIPTextModelWithProjection, words, 16),
        tokenizer_2=words,
        text_encoder_3=t5(pieces) if has_t5 else None,
        tokenizer_3=pieces if has_t5 else None,
    )


def flux(folder: Path, *, is_guided: bool = True) -> Any:
    """FLUX.1 in small: a block of two streams and one of a single stream."""
    torch.manual_seed(7)
    words = tiny.tokenizer(folder / "words")
    pieces = sentencepieces()
    transformer: Any = FluxTransformer2DModel
    return FluxPipeline(
        transformer=transformer(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=16,
            guidance_embeds=is_guided,
            axes_dims_rope=(4, 6, 6),
        ).eval(),
        scheduler=schedule(shift=3.0 if is_guided else 1.0, use_dynamic_shifting=is_guided),
        vae=autoencoder(4, 0.3611, 0.1159),
        text_encoder=clip(CLIPTextModel, words, 16),
        tokenizer=words,
        text_encoder_2=t5(pieces),
        tokenizer_2=pieces,
    )


def saved(folder: Path, kind: str, **options: bool) -> Path:
    """The pipeline of a kind, "sd3" or "flux", as a diffusers folder."""
    home = folder / f"tiny-{kind}"
    kinds: dict[str, Any] = {"sd3": sd3, "flux": flux}
    kinds[kind](folder, **options).save_pretrained(home)
    return home


@cache
def opened(kind: str) -> Any:
    """A model of a kind, "sd3" or "flux"."""
    return open_model(str(saved(Path(mkdtemp()), kind)))
