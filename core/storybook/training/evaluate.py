"""Measures a Storybook model with the judge: things, places, styles, pairs, synonyms, and more.

``python -m core.storybook.training.evaluate FOLDER OUT [REPEATS]`` writes OUT/storybook.json and
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
import numpy.typing as npt
from PIL import Image

from core.storybook.atlas import catalogue
from core.storybook.backgrounds import PLACES
from core.storybook.codec import load_codec
from core.storybook.judge import load_judge
from core.storybook.layout import load_unet, network_input, read_description, read_layout
from core.storybook.render import render
from core.storybook.sample import World, random_scene
from core.storybook.scene import USUAL_STYLE, Item, Scene, article
from core.storybook.text import load_text_encoder
from core.storybook.training.gallery import sample, sheet
from core.storybook.training.pack import make_example

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 28
HELD_OUT = 3 * 10**9
"""Scene seeds from here on are never packed for training."""


@dataclass(frozen=True)
class PromptCase:
    """A prompt and the numbers of what its picture must show."""

    prompt: str
    things: tuple[int, ...]
    place: int
    style: int = 0


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
        self.styles: tuple[str, ...] = tuple(description["styles"])
        self.random = np.random.default_rng(7)

    def paint(
        self, prompts: Sequence[str], steps: int, inpaint: "tuple[Tensor, Tensor] | None" = None
    ) -> "Tensor":
        """Paint prompts: (n, 3, h, w) float, 0..1; ``inpaint`` is (mask in cells, clean latents)."""
        import torch

        pictures = []
        for start in range(0, len(prompts), BATCH):
            part = slice(start, start + BATCH)
            tokens, empty = self.encoder.embed(prompts[part]), self.encoder.embed([""])
            given = (inpaint[0][part], inpaint[1][part]) if inpaint else None
            z = sample(self.unet, self.layout, tokens, empty, start, steps, inpaint=given)
            with torch.no_grad():
                pictures.append(self.codec.decode(z))
        return torch.cat(pictures)

    def verdicts(self, pictures: "Tensor", count: int) -> "tuple[Tensor, Tensor, Tensor]":
        """Classify pictures, (n, 3, h, w) float, 0..1: the likeliest things, place and style.

        Returns the numbers of the ``count`` likeliest things (n, count), of the place (n,) and of
        the style (n,); -1 for what the judge knows and the model does not.
        """
        verdict, known = self.judge(self.codec.encode(pictures)), self.judge.config
        best = verdict.things.topk(count, 1).indices
        return (
            _renumber(best, known.things, self.things),
            _renumber(verdict.places.argmax(1), known.places, self.places),
            _renumber(verdict.styles.argmax(1), known.styles, self.styles),
        )

    def single_prompts(self, repeats: int) -> list[PromptCase]:
        """Make prompts of every thing ``repeats`` times, each in a random place and style."""
        return [self._prompt_case((thing,)) for _ in range(repeats) for thing in self._thing_numbers()]

    def pair_prompts(self, count: int) -> list[PromptCase]:
        """Make ``count`` prompts of two random things."""
        chosen = [self.random.choice(len(self.things), 2, replace=False) for _ in range(count)]
        return [self._prompt_case((int(a), int(b))) for a, b in chosen]

    def synonym_prompts(self) -> list[PromptCase]:
        """Make prompts of each thing by a name that training never used."""
        rows = [(t, word) for t in self._thing_numbers() for word in catalogue()[self.things[t]].held_out]
        return [PromptCase(f"{article(word)} {word} on white", (t,), -1) for t, word in rows]

    def _thing_numbers(self) -> range:
        return range(len(self.things))

    def _prompt_case(self, things: tuple[int, ...]) -> PromptCase:
        """Things in a random place and style; the prompt does not name the usual style."""
        place = int(self.random.integers(len(self.places)))
        style = int(self.random.integers(len(self.styles)))
        drawn = self.styles[style]
        items = tuple(Item(self.things[thing], style=drawn) for thing in things)
        prompt = Scene(items, self.places[place]).prompt(with_style=drawn != USUAL_STYLE)
        return PromptCase(prompt, things, place, style)

    def share_right(self, wanted: Sequence[PromptCase], pictures: "Tensor") -> dict[str, float]:
        """Measure the shares of pictures with all wanted things, the wanted place and style.

        pictures: (n, 3, h, w) float, 0..1.
        """
        count = len(wanted[0].things)
        things, places, styles = self.verdicts(pictures, count)
        shown = [set(row) == set(w.things) for row, w in zip(things.tolist(), wanted, strict=True)]
        placed = [p == w.place for p, w in zip(places.tolist(), wanted, strict=True)]
        styled = [s == w.style for s, w in zip(styles.tolist(), wanted, strict=True)]
        return {
            "things": float(np.mean(shown)),
            "place": float(np.mean(placed)),
            "style": float(np.mean(styled)),
        }

    def brush(self, repeats: int, steps: int) -> tuple[float, "Tensor"]:
        """Paint each thing into an empty scene where it would stand.

        Returns the share recognised, and the pictures, (n, 3, h, w) float, 0..1.
        """
        import torch
        from torch.nn.functional import max_pool2d

        things = [thing for _ in range(repeats) for thing in self._thing_numbers()]
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
        """Measure the decibels of the codec's round trip on scenes never packed."""
        from core.storybook.training.sharpen import psnr

        scenes = [random_scene(HELD_OUT + seed, World.small()) for seed in range(count)]
        return psnr(self.codec, np.stack([render(scene).image for scene in scenes]))

    def memory(self, pictures: "Tensor", count: int) -> dict[str, float]:
        """Measure how near pictures, (n, 3, h, w) float, 0..1, are to ``count`` training pictures.

        Figures are median decibels to the nearest one, both at 32 x 32. ``unseen`` is the figure of
        true scenes that training never used; a model that repeats its training pictures is far
        above it.
        """
        world = World(self.things, self.places, self.styles)
        trained = np.stack([_small(make_example(seed, world).image) for seed in range(count)])
        unseen = (make_example(HELD_OUT + seed, world).image for seed in range(len(pictures)))
        painted = np.rint(pictures.clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)
        return {
            "painted": float(np.median([_nearest(_small(one), trained) for one in painted])),
            "unseen": float(np.median([_nearest(_small(one), trained) for one in unseen])),
        }

    def call_ms(self, repeats: int = 12) -> float:
        """Measure the median time of one network evaluation, batch 1."""
        import torch

        z = torch.randn(1, self.layout.latent_channels, self.layout.cells, self.layout.cells)
        tokens, times = self.encoder.embed(["a cat face"]), []
        for _ in range(repeats):
            started = time.perf_counter()
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                self.unet(network_input(z), 500, encoder_hidden_states=tokens)
            times.append(1000 * (time.perf_counter() - started))
        return float(np.median(times))


def _renumber(numbers: "Tensor", known: Sequence[str], wanted: Sequence[str]) -> "Tensor":
    """Numbers among the names known as numbers among those wanted; -1 for any other."""
    import torch

    return torch.tensor([wanted.index(n) if n in wanted else -1 for n in known])[numbers]


def _small(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """A picture's 32 x 32 means, in a row."""
    side = image.shape[0] // 32
    means: npt.NDArray[np.float32] = image.reshape(32, side, 32, side, 3).mean((1, 3)).ravel()
    return means.astype(np.float32)


def _nearest(picture: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> float:
    """Decibels between a picture and the nearest of others."""
    error = float(np.square(others - picture).mean(1).min())
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


def _one_thing(seed: int, name: str) -> Scene:
    """A held-out scene whose only thing is this one."""
    random = np.random.default_rng(seed)
    size = float(random.uniform(0.45, 0.8))
    x, y = (float(random.uniform(0.45 * size, 1 - 0.45 * size)) for _ in range(2))
    place = str(random.choice(tuple(PLACES)[:10]))
    return Scene((Item(name, x, y, size),), place, "left", seed)


def evaluate(folder: Path, out: Path, repeats: int = 3) -> dict[str, Any]:
    """Measure all figures; galleries go to ``out``."""
    model = Evaluation(folder)
    out.mkdir(parents=True, exist_ok=True)
    single, pairs, synonyms = (
        model.single_prompts(repeats),
        model.pair_prompts(40),
        model.synonym_prompts(),
    )
    result: dict[str, Any] = {"judge": model.judge_accuracy}
    for steps in (4, 8, 20):
        pictures = model.paint([wanted.prompt for wanted in single], steps)
        result[f"one thing, {steps} steps"] = model.share_right(single, pictures)
        _save(pictures[: 2 * len(model.things)], out / f"things-{steps}.png")
    result["nearest training picture, dB"] = model.memory(pictures, 512 * repeats)
    pictures = model.paint([wanted.prompt for wanted in pairs], 12)
    result["two things, 12 steps"] = model.share_right(pairs, pictures)
    _save(pictures, out / "pairs.png")
    pictures = model.paint([wanted.prompt for wanted in synonyms], 12)
    result["unseen synonyms"] = model.share_right(synonyms, pictures)["things"]
    result["brush, 8 steps"], pictures = model.brush(repeats, 8)
    _save(pictures[: len(model.things)], out / "brush.png")
    result |= {"codec dB": model.codec_psnr(), "call ms": model.call_ms()}
    (out / "storybook.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def _save(pictures: "Tensor", path: Path) -> None:
    Image.fromarray(sheet(pictures, 7)).save(path)


if __name__ == "__main__":
    evaluate(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3)
