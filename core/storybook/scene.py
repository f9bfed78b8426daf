"""A Scene: things in a place, as a value whose edits give the true edited picture."""

from dataclasses import dataclass, replace
from typing import Literal

from core.storybook.backgrounds import PLACES

HUES = {"red": 0, "orange": 18, "yellow": 38, "green": 85, "blue": 150, "purple": 195, "pink": 228}
"""Colour words and their hue on a circle of 256."""

STYLE_WORDS = {
    "clay": "clay",
    "flat": "flat",
    "ink": "ink",
    "cartoon": "cartoon",
}

USUAL_STYLE = "clay"
"""The style that a prompt need not name."""

Light = Literal["left", "above", "right"]


@dataclass(frozen=True)
class Item:
    """One thing: centre and size as fractions of the picture side; colour None keeps its own."""

    name: str
    x: float = 0.5
    y: float = 0.55
    size: float = 0.5
    flip: bool = False
    style: str = "clay"
    colour: str | None = None

    @property
    def words(self) -> str:
        return name_in_colour(self.name, self.colour)

    @property
    def side(self) -> str:
        """Its position in words; empty near the middle."""
        return "on the left" if self.x < 0.42 else "on the right" if self.x > 0.58 else ""


@dataclass(frozen=True)
class Scene:
    """Things back to front, a place, where the light is, and the seed of the place's details."""

    items: tuple[Item, ...]
    place: str = "white"
    light: Light = "left"
    seed: int = 0

    def prompt(self, words: tuple[str, ...] | None = None, with_style: bool = True) -> str:
        """Return the sentence that describes this scene; ``words`` may rename the things."""
        named = words or tuple(item.words for item in self.items)
        where = PLACES[self.place][1]
        what = " and ".join(f"{article(name)} {name}" for name in named) or "nothing"
        styles = {STYLE_WORDS[item.style] for item in self.items} if with_style else set()
        suffix = f", {styles.pop()}" if len(styles) == 1 else ""
        return f"{what} {where}{suffix}"

    def _replace_item(self, index: int, item: Item) -> "Scene":
        return replace(self, items=self.items[:index] + (item,) + self.items[index + 1 :])

    def replace_thing(self, index: int, name: str) -> "Scene":
        """Return the scene with another thing at an index."""
        return self._replace_item(index, replace(self.items[index], name=name))

    def move(self, index: int, x: float, y: float) -> "Scene":
        """Return the scene with a thing at another position."""
        return self._replace_item(index, replace(self.items[index], x=x, y=y))

    def resize(self, index: int, size: float) -> "Scene":
        """Return the scene with a thing of another size."""
        return self._replace_item(index, replace(self.items[index], size=size))

    def recolour(self, index: int, colour: str | None) -> "Scene":
        """Return the scene with a thing in another colour; None is its own."""
        return self._replace_item(index, replace(self.items[index], colour=colour))

    def remove(self, index: int) -> "Scene":
        """Return the scene without a thing."""
        return replace(self, items=self.items[:index] + self.items[index + 1 :])

    def add(self, item: Item) -> "Scene":
        """Return the scene with one more thing in front."""
        return replace(self, items=(*self.items, item))

    def restyle(self, style: str) -> "Scene":
        """Return the scene with all things in another style."""
        return replace(self, items=tuple(replace(item, style=style) for item in self.items))

    def change_place(self, place: str) -> "Scene":
        """Return the scene in another place."""
        return replace(self, place=place)


def name_in_colour(name: str, colour: str | None) -> str:
    """Replace the colour in a name: "red apple" in blue is "blue apple"."""
    if colour is None:
        return name
    rest = [word for word in name.split() if word not in HUES]
    return f"{colour} {' '.join(rest) or name}"


def article(name: str) -> str:
    """Return the article of a name: "a" or "an"."""
    return "an" if name[0] in "aeiou" else "a"
