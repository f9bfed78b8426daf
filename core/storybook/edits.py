"""Edits of rendered scenes, whose true result can be rendered too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.storybook.render import render
from core.storybook.scene import HUES, Item, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("object", "colour", "background", "add", "remove", "move", "style")
FIRST_SEED = 4 * 10**9
"""Far from the seeds of scenes that are packed for training."""
FOOTPRINT = 4
"""Of 255: from this difference on a pixel is part of the edit."""


@dataclass(frozen=True)
class SceneEdit:
    """An edit of one kind: the scene before and after, and the prompts of both.

    ``wanted`` names the things that the result must show, ``place`` and ``style`` how.
    """

    kind: str
    before: Scene
    after: Scene
    source_prompt: str
    prompt: str
    wanted: tuple[str, ...]
    place: str
    style: str

    def pictures(self, side: int) -> "tuple[Any, Any, Any]":
        """Render before and after, (side, side, 3) float32, 0..1, and a bool mask of changes."""
        before, after = (render(scene, side).image for scene in (self.before, self.after))
        differs = np.abs(before.astype(int) - after).max(2) >= FOOTPRINT
        return before.astype(np.float32) / 255, after.astype(np.float32) / 255, differs


def make_edits(
    count: int, things: Sequence[str], places: Sequence[str], styles: Sequence[str] = ("clay",)
) -> list[SceneEdit]:
    """Make ``count`` edits, all kinds by turns; the same count gives the same edits.

    Edits of the style are left out of a world that has only one.
    """
    kinds = [kind for kind in KINDS if kind != "style" or len(styles) > 1]
    made = []
    for number in range(count):
        random = np.random.default_rng(FIRST_SEED + number)
        kind = kinds[number % len(kinds)]
        made.append(_make_edit(kind, random, _World(tuple(things), tuple(places), tuple(styles))))
    return made


@dataclass(frozen=True)
class _World:
    things: tuple[str, ...]
    places: tuple[str, ...]
    styles: tuple[str, ...]


def _make_edit(kind: str, random: np.random.Generator, world: _World) -> SceneEdit:
    names = [str(name) for name in random.choice(world.things, 2, replace=False)]
    places = [str(name) for name in random.choice(world.places, 2, replace=False)]
    style = str(random.choice(world.styles))
    size, y = float(random.uniform(0.45, 0.6)), float(random.uniform(0.5, 0.64))
    item = Item(names[0], float(random.uniform(0.4, 0.6)), y, size, style=style)
    scene = Scene((item,), places[0], "left", int(random.integers(2**31)))
    makers: dict[str, Callable[[], tuple[Scene, Scene]]] = {
        "object": lambda: (scene, scene.replace_thing(0, names[1])),
        "colour": lambda: (scene, scene.recolour(0, _other_colour(random, names[0]))),
        "background": lambda: (scene, scene.change_place(places[1])),
        "add": lambda: _add_pair(scene, names[1]),
        "remove": lambda: _swap_pair(*_add_pair(scene, names[1])),
        "move": lambda: (scene.move(0, 0.3, y), scene.move(0, 0.7, y)),
        "style": lambda: (scene, scene.restyle(_other_style(world.styles, style))),
    }
    before, after = makers[kind]()
    return _describe_edit(kind, before, after)


def _add_pair(scene: Scene, name: str) -> tuple[Scene, Scene]:
    """A scene with one thing on the left, and the same scene with another on the right."""
    alone = scene.move(0, 0.27, scene.items[0].y).resize(0, 0.44)
    other = Item(name, 0.74, scene.items[0].y, 0.44, style=scene.items[0].style)
    return alone, alone.add(other)


def _swap_pair(first: Scene, second: Scene) -> tuple[Scene, Scene]:
    return second, first


def _other_style(styles: tuple[str, ...], style: str) -> str:
    return styles[(styles.index(style) + 1) % len(styles)]


def _other_colour(random: np.random.Generator, name: str) -> str:
    """A colour that is not a part of the thing's name."""
    return str(random.choice([colour for colour in HUES if colour not in name.split()]))


def _describe_edit(kind: str, before: Scene, after: Scene) -> SceneEdit:
    source, prompt = before.prompt(), after.prompt()
    if kind == "move":
        source, prompt = (f"{scene.prompt()}, {scene.items[0].side}" for scene in (before, after))
    wanted = tuple(item.name for item in after.items)
    style = after.items[0].style
    return SceneEdit(kind, before, after, source, prompt, wanted, after.place, style)
