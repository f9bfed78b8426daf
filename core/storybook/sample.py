"""Random scenes, the same for the same seed, to train and to measure the model."""

from dataclasses import dataclass, replace

import numpy as np

from core.storybook.atlas import names
from core.storybook.backgrounds import PLACES
from core.storybook.scene import HUES, Item, Light, Scene

LIGHTS: tuple[Light, ...] = ("left", "above", "right")


@dataclass(frozen=True)
class World:
    """Which things, places and styles scenes are drawn from, and how many things a scene has.

    ``colours`` is the share of things that have another colour than their own.
    """

    things: tuple[str, ...]
    places: tuple[str, ...]
    styles: tuple[str, ...]
    counts: tuple[float, ...] = (0.06, 0.6, 0.34)
    colours: float = 0.2

    @classmethod
    def small(cls) -> "World":
        """The small world that can be trained on a processor."""
        return cls(names("small"), tuple(PLACES)[:10], ("clay", "flat"))

    @classmethod
    def large(cls) -> "World":
        """The whole world, for training with an accelerator."""
        return cls(
            names(), tuple(PLACES), ("clay", "flat", "ink", "cartoon"), (0.06, 0.5, 0.3, 0.14)
        )


def random_scene(seed: int, world: World) -> Scene:
    """Draw a scene with a random number of things, side by side when there are several."""
    random = np.random.default_rng(seed)
    count = int(random.choice(len(world.counts), p=world.counts))
    style = str(random.choice(world.styles))
    things = [str(n) for n in random.choice(world.things, count, replace=False)]
    items = tuple(_item(random, n, i, count, style) for i, n in enumerate(things))
    items = tuple(_recolour_some(random, item, world.colours) for item in items)
    place = str(random.choice(world.places))
    light = LIGHTS[int(random.integers(len(LIGHTS)))]
    return Scene(items, place, light, int(random.integers(2**31)))


def _recolour_some(random: np.random.Generator, item: Item, share: float) -> Item:
    if random.random() >= share:
        return item
    return replace(item, colour=str(random.choice(tuple(HUES))))


def _item(random: np.random.Generator, name: str, index: int, count: int, style: str) -> Item:
    """One of ``count`` things, each in its own column."""
    if count == 1:
        size = random.uniform(0.42, 0.85)
        x = random.uniform(0.5 - (1 - size) * 0.6, 0.5 + (1 - size) * 0.6)
    else:
        column = 1 / count
        size = column * random.uniform(0.78, 1.0)
        x = (index + 0.5) * column + random.uniform(-0.12, 0.12) * column
    y = random.uniform(0.44, 0.92 - size / 2) if size < 0.9 else 0.5
    return Item(name, float(x), float(y), float(size), bool(random.random() < 0.5), style)
