"""Compares an edit by diffusers' image-to-image pipeline on the whole canvas with an AI layer.

Both load one folder with random weights in the Stable Diffusion layout, run the same number of
network calls at the same strength without guidance, and start with everything loaded.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.bench.strokes import Stroke, add_ai_layer, make_picture, running_engine, time_stroke
from core.bench.timing import figure
from core.engine.engine import Engine
from core.engine.messages import ModelOpened
from core.geometry import Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer
from core.task import Recipe

if TYPE_CHECKING:
    from core.params import Value

CANVAS = Size(1024, 1024)
CELLS = 48
"""Latent side that the network says it is made for: crops of 384 px."""
STEPS, STRENGTH = 10, 0.6
PROMPT = "a red apple"


async def compare_with_peer(repeats: int) -> dict[str, Any]:
    """Measure both by turns after one round to warm up: seconds, their ratio, and the areas'."""
    with tempfile.TemporaryDirectory() as folder:
        build_pipeline(Path(folder))
        peer = _peer(Path(folder))
        document = make_picture(CANVAS)
        async with running_engine() as engine:
            facts = await engine.open(folder)
            layer = _layer(document, folder)
            return await _turns(engine, facts, document, layer, peer, repeats)


async def _turns(
    engine: Engine,
    facts: ModelOpened,
    document: Document,
    layer: AiLayer,
    peer: Any,
    repeats: int,
) -> dict[str, Any]:
    counted = CallCounter(peer.unet)
    ours, theirs, stroke = [], [], Stroke()
    for turn in range(repeats + 1):
        seeded = replace(layer, recipe=replace(layer.recipe, seed=turn))
        document.replace("Seed", seeded)
        stroke = await time_stroke(engine, document, seeded, facts)
        ours.append(stroke.final)
        counted.calls = 0
        theirs.append(_whole_canvas(peer, document, turn))
    return {
        "pipeline": type(peer).__name__,
        "canvas": f"{CANVAS.width} x {CANVAS.height}",
        "crop": f"{stroke.crop.width} x {stroke.crop.height}",
        "shown_to_our_network": f"{facts.native} x {facts.native}",
        "our_calls": stroke.facts["calls"],
        "their_calls": counted.calls,
        "ours_seconds": figure(ours[1:]),
        "theirs_seconds": figure(theirs[1:]),
        "times_faster": round(float(np.median(theirs[1:]) / np.median(ours[1:])), 2),
        "area_ratio": round(CANVAS.width * CANVAS.height / stroke.crop.area, 2),
    }


class CallCounter:
    """Counts the calls of a network."""

    def __init__(self, network: Any) -> None:
        self.calls = 0
        network.register_forward_hook(self._count_call)

    def _count_call(self, *_: Any) -> None:
        self.calls += 1


def _layer(document: Document, model: str) -> AiLayer:
    layer = add_ai_layer(document, model, 0)
    values: dict[str, Value] = {"prompt": PROMPT, "strength": STRENGTH, "steps": STEPS}
    return replace(layer, recipe=Recipe("sdedit", values, model))


def _whole_canvas(peer: Any, document: Document, seed: int) -> float:
    """Seconds for the pipeline to repaint the flattened canvas."""
    import torch
    from PIL import Image

    pixels = flatten(document.root, document.bounds)[..., :3]
    began = time.perf_counter()
    peer(
        prompt=PROMPT,
        image=Image.fromarray(np.ascontiguousarray(pixels)),
        strength=STRENGTH,
        num_inference_steps=STEPS,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
    )
    return time.perf_counter() - began


def _peer(folder: Path) -> Any:
    import torch
    from diffusers import StableDiffusionImg2ImgPipeline
    from diffusers.utils import logging
    from transformers.utils import logging as other_logging

    from core.engine.device import choose_device, thread_count

    logging.disable_progress_bar()
    other_logging.disable_progress_bar()
    torch.set_num_threads(thread_count())
    peer: Any = StableDiffusionImg2ImgPipeline.from_pretrained(folder, local_files_only=True)
    peer.set_progress_bar_config(disable=True)
    return peer.to(choose_device("auto"))


def build_pipeline(folder: Path) -> None:
    """Save a random-weight pipeline in the Stable Diffusion layout."""
    import torch
    from diffusers import StableDiffusionPipeline

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = _tokenizer(folder / "words")
        pipeline: Any = StableDiffusionPipeline(
            vae=_codec(),
            text_encoder=_text_encoder(tokenizer),
            tokenizer=tokenizer,
            unet=_network(),
            scheduler=_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.save_pretrained(folder)


def _scheduler() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def _network() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=CELLS,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(32, 64, 96),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=4,
    )


def _codec() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 32),
        norm_num_groups=8,
        layers_per_block=1,
        latent_channels=4,
        sample_size=CELLS * 8,
        mid_block_add_attention=False,
    )


def _text_encoder(tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=4,
            max_position_embeddings=77,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def _tokenizer(folder: Path) -> Any:
    """A tokenizer of single letters and the two marks, enough to distinguish prompts."""
    import json

    from transformers import CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
    )
