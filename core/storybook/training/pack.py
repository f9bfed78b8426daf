"""Renders random scenes into shards for training: latents, footprints, prompt numbers.

``python -m core.storybook.training.pack FOLDER FIRST COUNT [SIZE]`` writes shards FIRST,
FIRST + 1, ... The first call fits the codec's linear part. Each shard is a .npz with latents
(n, c, h, w) float16, cells (n, 2, h, w) bool, prompts (n, 4): two for the scene, one for each
thing, -1 for none, and things (n, 2): which they are, by number in the world. Shard 0 also keeps
its pictures, for the codec.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.files.atomic import atomic_write
from core.storybook.codec import build_codec, fit_codec, load_codec, save_codec
from core.storybook.render import Rendering, render
from core.storybook.sample import World, random_scene
from core.storybook.scene import Scene
from core.storybook.training.configs import CONFIGS, Config
from core.storybook.training.prompts import scene_prompt, thing_prompt

SHARD = 4096
SLOTS = 2


@dataclass(frozen=True)
class Example:
    """A picture, the cells that each thing and its shadow touch, and prompts for it.

    ``image`` is (side, side, 3) uint8, 0..255; ``cells`` (things, h, w) bool.
    """

    image: npt.NDArray[np.uint8]
    cells: npt.NDArray[np.bool_]
    prompts: tuple[str, ...]
    things: tuple[str, ...]


def make_example(seed: int, world: World, side: int = 128, factor: int = 8) -> Example:
    """Make one training example; one in five is a closer crop of a larger drawing."""
    random = np.random.default_rng([seed, 1])
    scene = random_scene(seed, world)
    zoom = 1 if random.random() < 0.8 or not scene.items else random.uniform(1.1, 1.6)
    drawn = render(scene, round(side * zoom))
    left, top = _choose_corner(random, scene, drawn.image.shape[0], side)
    window = (slice(top, top + side), slice(left, left + side))
    shown = [i for i in range(len(scene.items)) if _is_shown(drawn, i, window)][:SLOTS]
    cells = np.zeros((SLOTS, side // factor, side // factor), bool)
    for slot, index in enumerate(shown):
        cells[slot] = _touched_cells(drawn.footprints[index][window], factor)
    visible = Scene(tuple(scene.items[i] for i in shown), scene.place)
    texts = [scene_prompt(random, visible), scene_prompt(random, visible)]
    texts += [thing_prompt(random, visible, index) for index in range(len(shown))]
    names = tuple(item.name for item in visible.items)
    return Example(drawn.image[window], cells, tuple(texts), names)


def _choose_corner(random: np.random.Generator, scene: Scene, drawn: int, side: int) -> tuple[int, int]:
    """The crop's corner: about one of the things, or everything."""
    if drawn == side:
        return 0, 0
    item = scene.items[int(random.integers(len(scene.items)))]
    centre = np.array((item.x, item.y)) * drawn + random.uniform(-0.1, 0.1, 2) * side
    left, top = np.clip(np.rint(centre - side / 2), 0, drawn - side).astype(int)
    return int(left), int(top)


def _is_shown(drawn: Rendering, index: int, window: tuple[slice, slice]) -> bool:
    mask = drawn.masks[index]
    return bool(mask[window].sum(dtype=np.int64) >= 0.6 * mask.sum(dtype=np.int64))


def _touched_cells(footprint: npt.NDArray[np.uint8], factor: int) -> npt.NDArray[np.bool_]:
    side = footprint.shape[0] // factor
    touched: npt.NDArray[np.bool_] = footprint.reshape(side, factor, side, factor).max((1, 3)) > 6
    return touched


def write_shard(folder: Path, number: int, config: Config, codec: Any) -> None:
    """Render, encode and save one shard."""
    seeds = range(number * SHARD, (number + 1) * SHARD)
    side, factor = config.layout.image_size, config.layout.factor
    examples = [make_example(seed, config.world, side, factor) for seed in seeds]
    texts = sorted({text for one in examples for text in one.prompts})
    numbers = {text: index for index, text in enumerate(texts)}
    prompts = np.full((SHARD, 2 + SLOTS), -1, np.int32)
    for index, one in enumerate(examples):
        prompts[index, : len(one.prompts)] = [numbers[text] for text in one.prompts]
    things = np.full((SHARD, SLOTS), -1, np.int32)
    for index, one in enumerate(examples):
        things[index, : len(one.things)] = [config.world.things.index(n) for n in one.things]
    images = np.stack([one.image for one in examples])
    arrays: dict[str, Any] = {
        "latents": encode_pictures(codec, images),
        "cells": np.stack([one.cells for one in examples]),
        "prompts": prompts,
        "things": things,
        **({"images": images} if number == 0 else {}),
    }
    (folder / f"shard-{number:03d}.json").write_text(json.dumps(texts))
    path = folder / f"shard-{number:03d}.npz"
    atomic_write(path, lambda stream: np.savez(stream, **arrays), keep=False)


def encode_pictures(codec: Any, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """Encode pictures (n, h, w, 3) uint8, 0..255, to latents (n, c, h / 8, w / 8), in portions.

    The latents are float16, unbounded.
    """
    import torch

    portions = []
    with torch.no_grad():
        for start in range(0, len(images), 256):
            batch = torch.from_numpy(images[start : start + 256]).permute(0, 3, 1, 2) / 255
            portions.append(codec.encode(batch).half().numpy())
    return np.concatenate(portions)


def prepare_codec(folder: Path, config: Config) -> Any:
    """Load the codec of a training folder; the first time it is fitted to sample pictures."""
    if not (folder / "vae").exists():
        codec = build_codec(config.codec)
        seeds = range(10**9, 10**9 + 600)
        fit_codec(codec, np.stack([make_example(seed, config.world).image for seed in seeds]))
        save_codec(codec, folder)
    return load_codec(folder)


def main(folder: Path, first: int, count: int, name: str = "small") -> None:
    """Write shards that are not there yet."""
    import torch

    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    config = CONFIGS[name]
    codec = prepare_codec(folder, config)
    for number in range(first, first + count):
        if not (folder / f"shard-{number:03d}.npz").exists():
            write_shard(folder, number, config, codec)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
