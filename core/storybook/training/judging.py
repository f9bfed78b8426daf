"""Trains the judge on packed shards; the last shard is held out.

``python -m core.storybook.training.judging FOLDER EPOCHS`` writes FOLDER/judge.safetensors.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.storybook.judge import WEIGHTS, JudgeConfig, build_judge, load_judge, save_judge
from core.storybook.sample import World, random_scene
from core.storybook.training.configs import CONFIGS
from core.storybook.training.pack import SHARD

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 128
UNSEEN = -1
STYLE_WEIGHT = 3
"""Weight of the style in the loss; it is the hardest to recognise on small things."""


class LabelledShard(NamedTuple):
    """Latents, which things are shown (n, things), the numbers of place and style.

    A scene without things has no style: number UNSEEN.
    """

    latents: "Tensor"
    things: "Tensor"
    places: "Tensor"
    styles: "Tensor"


def label_shard(path: Path, world: World) -> LabelledShard:
    """Read a shard, with labels of what its pictures show."""
    import torch

    first = int(path.stem.split("-")[1]) * SHARD
    with np.load(path) as arrays:
        latents, shown = torch.from_numpy(arrays["latents"]), arrays["things"]
    things = torch.zeros(len(shown), len(world.things))
    for row, numbers in enumerate(shown):
        things[row, numbers[numbers >= 0]] = 1
    scenes = [random_scene(seed, world) for seed in range(first, first + len(shown))]
    places = torch.tensor([world.places.index(scene.place) for scene in scenes])
    drawn = [world.styles.index(s.items[0].style) if s.items else UNSEEN for s in scenes]
    styles = torch.where(things.any(1), torch.tensor(drawn), UNSEEN)
    return LabelledShard(latents, things, places, styles)


def measure_accuracy(judge: Any, data: LabelledShard) -> dict[str, float]:
    """Measure the shares that are right: single things, pairs of things, places, styles."""
    import torch

    with torch.no_grad():
        verdicts = [judge(part.float()) for part in torch.split(data.latents, 512)]
    things, places, styles = (torch.cat(parts) for parts in zip(*verdicts, strict=True))
    styled = data.styles != UNSEEN
    count = data.things.sum(1)
    one, two = count == 1, count == 2
    best = things.argmax(1)
    both = torch.zeros_like(data.things).scatter(1, things.topk(2, 1).indices, 1)
    return {
        "thing": float(data.things[one].gather(1, best[one, None]).mean()),
        "both": float((both[two] == data.things[two]).all(1).float().mean()),
        "place": float((places.argmax(1) == data.places).float().mean()),
        "style": float((styles.argmax(1) == data.styles)[styled].float().mean()),
    }


def train_judge(folder: Path, epochs: float, world: World) -> dict[str, float]:
    """Train the folder's judge further, measure it on the held-out shard and save it."""
    import torch
    from torch.nn import functional as F

    shards = [label_shard(path, world) for path in sorted(folder.glob("shard-*.npz"))]
    train = LabelledShard(*(torch.cat(parts) for parts in zip(*shards[:-1], strict=True)))
    config = JudgeConfig(world.things, world.places, world.styles)
    judge = _start_judge(folder, config)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = int(epochs * len(train.latents) / BATCH)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 50, 1.5 * (1 - step / steps))
        rows = torch.randint(len(train.latents), (BATCH,))
        z = train.latents[rows].float()
        verdict = judge(z + 0.15 * torch.rand(BATCH, 1, 1, 1) * torch.randn_like(z))
        found = F.binary_cross_entropy_with_logits(verdict.things, train.things[rows])
        placed = F.cross_entropy(verdict.places, train.places[rows])
        styled = F.cross_entropy(verdict.styles, train.styles[rows], ignore_index=UNSEEN)
        loss: Any = 10 * found + placed + STYLE_WEIGHT * styled
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    result = measure_accuracy(judge.eval(), shards[-1])
    save_judge(judge, folder, result)
    return result


def _start_judge(folder: Path, config: JudgeConfig) -> Any:
    """The folder's judge when its configuration is the same, else an untrained one."""
    if not (folder / WEIGHTS).exists():
        return build_judge(config)
    judge, _ = load_judge(folder)
    return judge.train().requires_grad_(True) if judge.config == config else build_judge(config)


if __name__ == "__main__":
    sys.stdout.write(f"{train_judge(Path(sys.argv[1]), float(sys.argv[2]), CONFIGS['small'].world)}\n")
