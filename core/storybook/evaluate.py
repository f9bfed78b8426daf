"""Measure a Storybook model with the judge: things, places, pairs, synonyms, brush, codec, speed.

``python -m core.storybook.evaluate FOLDER OUT [REPEATS]`` writes OUT/storybook.json and
galleries as OUT/*.png.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from core.storybook.atlas import catalogue
from core.storybook.backgrounds import PLACES
from core.storybook.codec import load_codec
from core.storybook.judge import load_judge
from core.storybook.layout import load_unet, network_input, read_description, read_layout
from core.storybook.render import render
from core.storybook.sample import World, random_scene
from core.storybook.scene import Item, Scene, article
from core.storybook.text import load_text_encoder
from core.storybook.training.gallery import sample, sheet

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 28
HELD_OUT = 3 * 10**9
"""Scene seeds from here on are never packed for training."""


@dataclass(frozen=True)
class Wanted:
    """A prompt and the numbers of what its picture must show."""

    prompt: str
    things: tuple[int, ...]
    place: int


class Evaluation:
    """A loaded model, its judge, and the world that it was trained on."""

    def __init__(self, folder: Path) -> None:
        self.layout = read_layout(folder)
        self.unet, self.codec = load_unet(folder), load_codec(folder)
        self.encoder = load_text_encoder(folder)
        self.judge, self.judge_accuracy = load_judge(folder)
        description = read_description(folder)
        self.things: tuple[str, ...] = tuple(description["objects"])
        self.places: tuple[str, ...] = tuple(description["backgrounds"])
        self.random = np.random.default_rng(7)

    def paint(
        self, prompts: Sequence[str], steps: int, known: "tuple[Tensor, Tensor] | None" = None
    ) -> "Tensor":
        """Pictures (n, 3, h, w) of prompts; ``known`` is (mask in cells, clean latents)."""
        import torch

        pictures = []
        for start in range(0, len(prompts), BATCH):
            part = slice(start, start + BATCH)
            tokens, empty = self.encoder.embed(prompts[part]), self.encoder.embed([""])
            given = (known[0][part], known[1][part]) if known else None
            z = sample(self.unet, self.layout, tokens, empty, start, steps, known=given)
            with torch.no_grad():
                pictures.append(self.codec.decode(z))
        return torch.cat(pictures)

    def verdicts(self, pictures: "Tensor", count: int) -> tuple["Tensor", "Tensor"]:
        """The ``count`` likeliest things and the place of each picture.

        The judge may know more things than the model; those count as number -1.
        """
        import torch

        verdict = self.judge(self.codec.encode(pictures))
        known = self.judge.config
        things = [self.things.index(n) if n in self.things else -1 for n in known.things]
        places = [self.places.index(n) if n in self.places else -1 for n in known.places]
        seen = torch.tensor(things)[verdict.things.topk(count, 1).indices]
        return seen, torch.tensor(places)[verdict.places.argmax(1)]

    def wanted(self, repeats: int) -> list[Wanted]:
        """Every thing ``repeats`` times, each in a place drawn by chance."""
        places = self.random.integers(len(self.places), size=(repeats, len(self.things)))
        return [self._wanted((t,), int(places[r, t])) for r in range(repeats) for t in self._all()]

    def wanted_pairs(self, count: int) -> list[Wanted]:
        chosen = [self.random.choice(len(self.things), 2, replace=False) for _ in range(count)]
        places = self.random.integers(len(self.places), size=count)
        return [
            self._wanted((int(a), int(b)), int(place))
            for (a, b), place in zip(chosen, places, strict=True)
        ]

    def wanted_synonyms(self) -> list[Wanted]:
        """Each thing by a name that training never used."""
        rows = [(t, word) for t in self._all() for word in catalogue()[self.things[t]].held_out]
        return [Wanted(f"{article(word)} {word} on white", (t,), -1) for t, word in rows]

    def _all(self) -> range:
        return range(len(self.things))

    def _wanted(self, things: tuple[int, ...], place: int) -> Wanted:
        names = tuple(self.things[thing] for thing in things)
        scene = Scene(tuple(Item(name) for name in names), self.places[place])
        return Wanted(scene.prompt(with_style=False), things, place)

    def right(self, wanted: Sequence[Wanted], pictures: "Tensor") -> dict[str, float]:
        """Share of pictures that show all wanted things, and share in the wanted place."""
        count = len(wanted[0].things)
        things, places = self.verdicts(pictures, count)
        shown = [set(row) == set(w.things) for row, w in zip(things.tolist(), wanted, strict=True)]
        placed = [p == w.place for p, w in zip(places.tolist(), wanted, strict=True)]
        return {"things": float(np.mean(shown)), "place": float(np.mean(placed))}

    def brush(self, repeats: int, steps: int) -> tuple[float, "Tensor"]:
        """Paint each thing into an empty scene where it would stand; share recognised, pictures."""
        import torch
        from torch.nn.functional import max_pool2d

        things = [thing for _ in range(repeats) for thing in self._all()]
        empty, masks = [], []
        for number, thing in enumerate(things):
            scene = _one_thing(HELD_OUT + number, self.things[thing])
            empty.append(render(scene.remove(0)).image)
            masks.append(render(scene).footprints[0] > 6)
        true = torch.from_numpy(np.stack(empty)).permute(0, 3, 1, 2) / 255
        mask = torch.from_numpy(np.stack(masks)).float()[:, None]
        cells = max_pool2d(max_pool2d(mask, self.layout.factor), 3, 1, 1)
        prompts = [f"{article(self.things[thing])} {self.things[thing]}" for thing in things]
        drawn = self.paint(prompts, steps, (cells, self.codec.encode(true)))
        wide = torch.nn.functional.interpolate(cells, scale_factor=self.layout.factor)
        pictures = torch.where(wide > 0, drawn, true)
        found = self.verdicts(pictures, 1)[0][:, 0]
        return float((found == torch.tensor(things)).float().mean()), pictures

    def codec_psnr(self, count: int = 100) -> float:
        """Decibels of the codec's round trip on scenes never packed."""
        from core.storybook.training.sharpen import psnr

        scenes = [random_scene(HELD_OUT + seed, World.small()) for seed in range(count)]
        return psnr(self.codec, np.stack([render(scene).image for scene in scenes]))

    def call_ms(self, repeats: int = 12) -> float:
        """Median time of one network evaluation, batch 1."""
        import torch

        z = torch.randn(1, self.layout.latent_channels, self.layout.cells, self.layout.cells)
        tokens, times = self.encoder.embed(["a cat face"]), []
        for _ in range(repeats):
            started = time.perf_counter()
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                self.unet(network_input(z), 500, encoder_hidden_states=tokens)
            times.append(1000 * (time.perf_counter() - started))
        return float(np.median(times))


def _one_thing(seed: int, name: str) -> Scene:
    """A held-out scene whose only thing is this one."""
    random = np.random.default_rng(seed)
    size = float(random.uniform(0.45, 0.8))
    x, y = (float(random.uniform(0.45 * size, 1 - 0.45 * size)) for _ in range(2))
    place = str(random.choice(tuple(PLACES)[:10]))
    return Scene((Item(name, x, y, size),), place, "left", seed)


def evaluate(folder: Path, out: Path, repeats: int = 3) -> dict[str, Any]:
    """All figures; galleries go to ``out``."""
    model = Evaluation(folder)
    out.mkdir(parents=True, exist_ok=True)
    single, pairs, synonyms = model.wanted(repeats), model.wanted_pairs(40), model.wanted_synonyms()
    result: dict[str, Any] = {"judge": model.judge_accuracy}
    for steps in (4, 8, 20):
        pictures = model.paint([wanted.prompt for wanted in single], steps)
        result[f"one thing, {steps} steps"] = model.right(single, pictures)
        _save(pictures[: len(model.things)], out / f"things-{steps}.png")
    pictures = model.paint([wanted.prompt for wanted in pairs], 12)
    result["two things, 12 steps"] = model.right(pairs, pictures)
    _save(pictures, out / "pairs.png")
    pictures = model.paint([wanted.prompt for wanted in synonyms], 12)
    result["unseen synonyms"] = model.right(synonyms, pictures)["things"]
    result["brush, 8 steps"], pictures = model.brush(repeats, 8)
    _save(pictures[: len(model.things)], out / "brush.png")
    result |= {"codec dB": model.codec_psnr(), "call ms": model.call_ms()}
    (out / "storybook.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def _save(pictures: "Tensor", path: Path) -> None:
    Image.fromarray(sheet(pictures, 7)).save(path)


if __name__ == "__main__":
    evaluate(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3)
