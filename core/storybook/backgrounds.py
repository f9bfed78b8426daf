"""The places of the Storybook world: each is a function from coordinates and a seed to colours.

Coordinates run from 0 to 1 over the picture, so a place is the same at every size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Backdrop:
    """Picture coordinates, the width of one pixel, and the place's own random numbers.

    ``x`` and ``y`` are (side, side) float64, 0..1.
    """

    x: Floats
    y: Floats
    pixel: float
    random: np.random.Generator

    def blank(self, colour: Colour) -> Floats:
        """Fill a picture with one colour: (side, side, 3) float64, 0..255."""
        return np.broadcast_to(np.array(colour, float), (*self.x.shape, 3)).copy()

    def gradient(self, top: Colour, bottom: Colour, start: float = 0, end: float = 1) -> Floats:
        """Blend two colours from top to bottom: (side, side, 3) float64, 0..255."""
        amount = np.clip((self.y - start) / (end - start), 0, 1)[..., None]
        return np.array(top) * (1 - amount) + np.array(bottom) * amount

    def waves(self, count: int, lowest: float, highest: float) -> Floats:
        """Draw smooth random hills along x: (side, side) float64, -1..1."""
        total = np.zeros_like(self.x)
        for _ in range(count):
            frequency = self.random.uniform(lowest, highest)
            total += np.sin(2 * np.pi * (frequency * self.x + self.random.random()))
        return total / count

    def inside(self, distance: Floats) -> Floats:
        """Return 1 where distance > 0 and 0 where it is negative, soft over a pixel.

        distance: (side, side) float64, unbounded. Returns (side, side, 1) float64, 0..1.
        """
        amount: Floats = np.clip(distance / (1.5 * self.pixel) + 0.5, 0, 1)[..., None]
        return amount

    def over(self, picture: Floats, colour: Colour | Floats, amount: Floats) -> Floats:
        """Lay a colour over a picture, (side, side, 3) float64, 0..255; amount: 0..1."""
        return picture * (1 - amount) + np.asarray(colour, float) * amount

    def below(self, picture: Floats, edge: Floats | float, colour: Colour | Floats) -> Floats:
        """Paint everything under a horizon line of a picture, (side, side, 3) float64, 0..255."""
        return self.over(picture, colour, self.inside(self.y - edge))

    def ellipse(self, x: float, y: float, width: float, height: float) -> Floats:
        """Return the signed depth in an ellipse: (side, side) float64, unbounded, > 0 inside."""
        reach = np.hypot((self.x - x) / width, (self.y - y) / height)
        return (1 - reach) * min(width, height)


def _draw_clouds(
    field: Backdrop, picture: Floats, count: int, colour: Colour, lowest: float
) -> Floats:
    for _ in range(count):
        x, y = field.random.uniform(0.05, 0.95), field.random.uniform(0.06, lowest)
        scale = field.random.uniform(0.05, 0.08)
        for step in (-1, 0, 1):
            lift = 0.6 if step == 0 else 0.0
            bump = field.ellipse(x + step * scale, y - lift * scale * 0.6, scale, scale * 0.6)
            picture = field.over(picture, colour, 0.85 * field.inside(bump))
    return picture


def meadow(field: Backdrop) -> Floats:
    """Draw a meadow, (side, side, 3) float64, 0..255."""
    picture = field.gradient((120, 190, 240), (215, 238, 250), 0, 0.55)
    picture = _draw_clouds(field, picture, 2, (255, 255, 255), 0.3)
    far = 0.50 + 0.04 * field.waves(2, 0.5, 1.5)
    picture = field.below(picture, far, (140, 200, 110))
    near = 0.60 + 0.03 * field.waves(2, 0.5, 1.2)
    return field.below(picture, near, field.gradient((112, 184, 84), (84, 152, 62), 0.55, 1))


def beach(field: Backdrop) -> Floats:
    """Draw a beach, (side, side, 3) float64, 0..255."""
    picture = field.gradient((110, 200, 245), (200, 240, 252), 0, 0.4)
    sea = field.gradient((40, 150, 205), (100, 210, 220), 0.4, 0.62)
    picture = field.below(picture, 0.40, sea)
    shore = 0.60 + 0.02 * field.waves(2, 0.6, 1.6)
    picture = field.below(picture, shore - 0.015, (250, 252, 250))
    return field.below(
        picture, shore + 0.01, field.gradient((246, 222, 166), (230, 196, 130), 0.6, 1)
    )


def sea(field: Backdrop) -> Floats:
    """Draw the sea, (side, side, 3) float64, 0..255."""
    picture = field.gradient((150, 205, 240), (226, 240, 248), 0, 0.45)
    picture = _draw_clouds(field, picture, 2, (255, 255, 255), 0.25)
    for index in range(5):
        edge = 0.45 + 0.11 * index + 0.012 * field.waves(2, 2.0, 4.0)
        shade = (52 - 6 * index, 132 - 14 * index, 196 - 14 * index)
        picture = field.below(picture, edge, shade)
    return picture


def desert(field: Backdrop) -> Floats:
    """Draw a desert, (side, side, 3) float64, 0..255."""
    picture = field.gradient((250, 200, 130), (255, 236, 190), 0, 0.5)
    for index, shade in enumerate(((226, 160, 92), (214, 142, 76), (200, 124, 62))):
        edge = 0.50 + 0.13 * index + 0.05 * field.waves(2, 0.5, 1.3)
        picture = field.below(picture, edge, shade)
    return picture


def snow(field: Backdrop) -> Floats:
    """Draw a field of snow, (side, side, 3) float64, 0..255."""
    picture = field.gradient((150, 180, 215), (214, 228, 242), 0, 0.55)
    for index, shade in enumerate(((222, 232, 244), (240, 245, 251))):
        edge = 0.52 + 0.12 * index + 0.04 * field.waves(2, 0.5, 1.3)
        picture = field.below(picture, edge, shade)
    for _ in range(26):
        x, y = field.random.random(2)
        size = field.random.uniform(0.006, 0.012)
        picture = field.over(
            picture, (255, 255, 255), field.inside(field.ellipse(x, y, size, size))
        )
    return picture


def night(field: Backdrop) -> Floats:
    """Draw a night sky, (side, side, 3) float64, 0..255."""
    picture = field.gradient((14, 18, 56), (52, 50, 110), 0, 0.75)
    for _ in range(30):
        x, y = field.random.random(), 0.7 * field.random.random()
        size = field.random.uniform(0.004, 0.010)
        picture = field.over(
            picture, (250, 246, 214), field.inside(field.ellipse(x, y, size, size))
        )
    hill = 0.76 + 0.04 * field.waves(2, 0.5, 1.3)
    return field.below(picture, hill, (24, 34, 58))


def sunset(field: Backdrop) -> Floats:
    """Draw a sunset, (side, side, 3) float64, 0..255."""
    picture = field.gradient((92, 62, 140), (240, 120, 96), 0, 0.42)
    lower = field.gradient((240, 120, 96), (255, 200, 110), 0.42, 0.62)
    picture = field.below(picture, 0.42, lower)
    glow = field.ellipse(field.random.uniform(0.3, 0.7), 0.62, 0.12, 0.12)
    picture = field.over(picture, (255, 240, 180), field.inside(glow))
    ground = 0.62 + 0.03 * field.waves(2, 0.5, 1.4)
    return field.below(picture, ground, field.gradient((96, 52, 84), (56, 30, 60), 0.6, 1))


def table(field: Backdrop) -> Floats:
    """Draw a wooden table, (side, side, 3) float64, 0..255."""
    picture = field.gradient((236, 220, 200), (222, 202, 180), 0, 0.45)
    grain = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * field.y + 0.35 * field.waves(2, 0.6, 1.4)))
    wood = np.array((168, 108, 62)) + grain[..., None] * np.array((22, 18, 14))
    picture = field.below(picture, 0.45, wood)
    return field.over(picture, (120, 74, 42), field.inside(0.010 - np.abs(field.y - 0.455)))


def brick_wall(field: Backdrop) -> Floats:
    """Draw a brick wall, (side, side, 3) float64, 0..255."""
    rows, columns = 8, 4
    row = np.floor(field.y * rows)
    along = field.x * columns + 0.5 * (row % 2) + 0.37 * field.random.random()
    column = np.floor(along)
    tone = np.sin(row * 12.9 + column * 78.2 + field.random.random() * 9) * 12
    picture = field.blank((178, 84, 64)) + tone[..., None]
    gap_y = np.minimum(field.y * rows - row, 1 + row - field.y * rows) / rows
    gap_x = np.minimum(along - column, 1 + column - along) / columns
    return field.over(picture, (218, 204, 190), field.inside(0.007 - np.minimum(gap_x, gap_y)))


def white(field: Backdrop) -> Floats:
    """Draw white paper, (side, side, 3) float64, 0..255."""
    return field.gradient((255, 255, 255), (238, 238, 240), 0.3, 1)


def pink(field: Backdrop) -> Floats:
    """Draw pink paper, (side, side, 3) float64, 0..255."""
    return field.gradient((252, 214, 224), (244, 180, 200), 0, 1)


def forest(field: Backdrop) -> Floats:
    """Draw a forest, (side, side, 3) float64, 0..255."""
    picture = field.gradient((170, 214, 190), (210, 234, 200), 0, 0.6)
    for index, shade in enumerate(((110, 160, 120), (62, 116, 78))):
        base = 0.36 + 0.14 * index
        teeth = np.abs(((5 + 2 * index) * field.x + field.random.random()) % 1 - 0.5) * 0.34
        picture = field.below(picture, base + teeth + 0.02 * field.waves(2, 0.5, 2), shade)
    return field.below(picture, 0.70 + 0.02 * field.waves(2, 0.5, 1.2), (92, 140, 72))


PLACES: dict[str, tuple[Callable[[Backdrop], Floats], str]] = {
    "meadow": (meadow, "in a meadow"),
    "beach": (beach, "on a beach"),
    "sea": (sea, "on the sea"),
    "desert": (desert, "in the desert"),
    "snow": (snow, "in the snow"),
    "night": (night, "at night"),
    "sunset": (sunset, "at sunset"),
    "table": (table, "on a wooden table"),
    "brick wall": (brick_wall, "in front of a brick wall"),
    "white": (white, "on white"),
    "pink": (pink, "on pink"),
    "forest": (forest, "in a forest"),
}
"""By name of a place: the function that draws it, and its words in a prompt."""


def draw_place(name: str, side: int, seed: int) -> npt.NDArray[np.uint8]:
    """Draw a place, (side, side, 3) uint8, 0..255; a seed draws the same place at any size."""
    centres = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(centres, centres)
    colours = PLACES[name][0](Backdrop(x, y, 1 / side, np.random.default_rng(seed)))
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)
