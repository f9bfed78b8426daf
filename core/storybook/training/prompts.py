"""Random prompts for a scene, as varied as those of people."""

import numpy as np

from core.storybook.atlas import catalogue
from core.storybook.backgrounds import PLACES
from core.storybook.scene import STYLE_WORDS, USUAL_STYLE, Item, Scene, article, name_in_colour


def pick_name(random: np.random.Generator, item: Item) -> str:
    """Pick a thing's own name two times in three, else a trained synonym; its colour first."""
    thing = catalogue()[item.name]
    name = item.name
    if thing.also and random.random() < 0.35:
        name = str(random.choice(thing.also))
    return name_in_colour(name, item.colour)


def _join_names(random: np.random.Generator, names: list[str]) -> str:
    with_articles = random.random() < 0.8
    words = [f"{article(name)} {name}" if with_articles else name for name in names]
    return " and ".join(words)


def scene_prompt(random: np.random.Generator, scene: Scene) -> str:
    """Describe a whole scene; sometimes without the place, often with a single thing's side."""
    where = PLACES[scene.place][1]
    if not scene.items:
        return str(random.choice([f"nothing {where}", f"empty {scene.place}", where]))
    what = _join_names(random, [pick_name(random, item) for item in scene.items])
    parts = [what if random.random() < 0.1 else f"{what} {where}", _style(random, scene.items[0])]
    if len(scene.items) == 1 and random.random() < 0.5:
        parts.append(scene.items[0].side)
    return ", ".join(part for part in parts if part)


def _style(random: np.random.Generator, item: Item) -> str:
    """The style in a word; the usual style is often left out."""
    is_named = item.style != USUAL_STYLE or random.random() < 0.3
    return STYLE_WORDS[item.style] if is_named else ""


def thing_prompt(random: np.random.Generator, scene: Scene, index: int) -> str:
    """Describe one thing of a scene, as for a brush."""
    what = _join_names(random, [pick_name(random, scene.items[index])])
    if random.random() < 0.25:
        what = f"{what} {PLACES[scene.place][1]}"
    style = _style(random, scene.items[index])
    return f"{what}, {style}" if style else what
