"""The many ways in which a person may ask for the same scene."""

from functools import cache

import numpy as np

from core.storybook.atlas import catalogue
from core.storybook.backgrounds import PLACES
from core.storybook.scene import Scene, article


def called(random: np.random.Generator, name: str) -> str:
    """A thing's own name two times in three, else one of its trained synonyms."""
    thing = catalogue()[name]
    if thing.also and random.random() < 0.35:
        return str(random.choice(thing.also))
    return name


def _named(random: np.random.Generator, names: list[str]) -> str:
    with_articles = random.random() < 0.8
    words = [f"{article(name)} {name}" if with_articles else name for name in names]
    return " and ".join(words)


def scene_prompt(random: np.random.Generator, scene: Scene) -> str:
    """A whole scene in words; one time in ten the place goes unsaid."""
    where = PLACES[scene.place][1]
    if not scene.items:
        return str(random.choice([f"nothing {where}", f"empty {scene.place}", where]))
    what = _named(random, [called(random, item.name) for item in scene.items])
    style = f", {scene.items[0].style}" if random.random() < 0.3 else ""
    if random.random() < 0.1:
        return what + style
    return f"{what} {where}{style}"


def thing_prompt(random: np.random.Generator, scene: Scene, index: int) -> str:
    """One thing in words, as somebody with a brush would say it."""
    what = _named(random, [called(random, scene.items[index].name)])
    if random.random() < 0.25:
        return f"{what} {PLACES[scene.place][1]}"
    return what


@cache
def _by_word() -> list[tuple[str, str]]:
    """Every trained word for a thing with the thing's name, longest word first."""
    pairs = [(word, thing.name) for thing in catalogue().values() for word in thing.names]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def thing_named(prompt: str) -> str:
    """The thing that a one-thing prompt names; empty when it names none."""
    words = f" {prompt} "
    return next((name for word, name in _by_word() if f" {word} " in words), "")
