"""Train the judge on packed shards; the last shard is held out.

``python -m core.storybook.training.judging FOLDER EPOCHS`` writes FOLDER/judge.safetensors.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.storybook.judge import JudgeConfig, build_judge, save_judge
from core.storybook.sample import World, random_scene
from core.storybook.training.configs import CONFIGS
from core.storybook.training.pack import SHARD
from core.storybook.training.prompts import thing_named

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 128


class Labelled(NamedTuple):
    """Latents, which things are shown (n, things) and the place's number."""

    latents: "Tensor"
    things: "Tensor"
    places: "Tensor"


def labelled(path: Path, world: World) -> Labelled:
    """A shard with what its pictures show."""
    import torch

    texts: list[str] = json.loads(path.with_suffix(".json").read_text())
    first = int(path.stem.split("-")[1]) * SHARD
    with np.load(path) as arrays:
        latents, prompts = torch.from_numpy(arrays["latents"]), arrays["prompts"]
    things = torch.zeros(len(prompts), len(world.things))
    for row, numbers in enumerate(prompts[:, 2:]):
        for number in numbers[numbers >= 0]:
            things[row, world.things.index(thing_named(texts[number]))] = 1
    seeds = range(first, first + len(prompts))
    places = [world.places.index(random_scene(seed, world).place) for seed in seeds]
    return Labelled(latents, things, torch.tensor(places))


def accuracy(judge: Any, data: Labelled) -> dict[str, float]:
    """Share of one-thing scenes whose thing is found, of two-thing scenes with both, of places."""
    import torch

    with torch.no_grad():
        verdicts = [judge(part.float()) for part in torch.split(data.latents, 512)]
    things = torch.cat([verdict.things for verdict in verdicts])
    places = torch.cat([verdict.places for verdict in verdicts])
    count = data.things.sum(1)
    one, two = count == 1, count == 2
    best = things.argmax(1)
    both = torch.zeros_like(data.things).scatter(1, things.topk(2, 1).indices, 1)
    return {
        "thing": float(data.things[one].gather(1, best[one, None]).mean()),
        "both": float((both[two] == data.things[two]).all(1).float().mean()),
        "place": float((places.argmax(1) == data.places).float().mean()),
    }


def train_judge(folder: Path, epochs: float, world: World) -> dict[str, float]:
    """Train, measure on the held-out shard, save."""
    import torch
    from torch.nn import functional as F

    shards = [labelled(path, world) for path in sorted(folder.glob("shard-*.npz"))]
    train = Labelled(*(torch.cat(parts) for parts in zip(*shards[:-1], strict=True)))
    judge = build_judge(JudgeConfig(world.things, world.places))
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = int(epochs * len(train.latents) / BATCH)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 50, 1.5 * (1 - step / steps))
        rows = torch.randint(len(train.latents), (BATCH,))
        z = train.latents[rows].float()
        verdict = judge(z + 0.15 * torch.rand(BATCH, 1, 1, 1) * torch.randn_like(z))
        found = F.binary_cross_entropy_with_logits(verdict.things, train.things[rows])
        loss: Any = 10 * found + F.cross_entropy(verdict.places, train.places[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    result = accuracy(judge.eval(), shards[-1])
    save_judge(judge, folder, result)
    return result


if __name__ == "__main__":
    sys.stdout.write(f"{train_judge(Path(sys.argv[1]), float(sys.argv[2]), CONFIGS['small'].world)}\n")
