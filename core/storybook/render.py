"""Renders scenes at any size: the picture, and a layer and a mask for each thing."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from core.storybook.atlas import sprite
from core.storybook.backgrounds import draw_place
from core.storybook.scene import HUES, Item, Light, Scene

Bytes = npt.NDArray[np.uint8]

SHADOW = 0.34
_SHIFT: dict[Light, tuple[float, float]] = {
    "left": (0.06, 0.05),
    "above": (0.0, 0.07),
    "right": (-0.06, 0.05),
}


@dataclass(frozen=True)
class Rendering:
    """The pixels of a scene, all uint8, 0..255.

    ``image`` is (h, w, 3). ``layers`` are (h, w, 4) straight RGBA: the place, then each thing with
    its shadow. ``masks`` (h, w) are the visible coverage of the things; ``footprints`` (h, w) also
    hold the shadow and what other things hide.
    """

    image: Bytes
    layers: tuple[Bytes, ...]
    masks: tuple[Bytes, ...]
    footprints: tuple[Bytes, ...]


@lru_cache(maxsize=64)
def _draw_place(name: str, side: int, seed: int) -> Bytes:
    return draw_place(name, side, seed)


def _recolour(image: Image.Image, colour: str) -> Image.Image:
    alpha = image.getchannel("A")
    hue, saturation, value = image.convert("RGB").convert("HSV").split()
    vivid = saturation.point([min(255, round(60 + 0.75 * s)) for s in range(256)])
    turned = Image.merge("HSV", (hue.point([HUES[colour]] * 256), vivid, value)).convert("RGB")
    turned.putalpha(alpha)
    return turned


def _draw_item(item: Item, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """The thing's sprite and the corner where it goes."""
    pixels = max(2, round(item.size * side))
    image = sprite(item.name, item.style, pixels, item.flip)
    if item.colour is not None:
        image = _recolour(image, item.colour)
    return image, (round(item.x * side - pixels / 2), round(item.y * side - pixels / 2))


def _draw_layer(item: Item, light: Light, side: int) -> tuple[Image.Image, Bytes]:
    """Thing over its own soft shadow, picture-sized, and the thing's own alpha."""
    image, (left, top) = _draw_item(item, side)
    alpha = Image.new("L", (side, side))
    alpha.paste(image.getchannel("A"), (left, top))
    dx, dy = (round(s * item.size * side) for s in _SHIFT[light])
    shadow = Image.new("L", (side, side))
    shadow.paste(alpha, (dx, dy))
    shadow = shadow.filter(ImageFilter.GaussianBlur(0.035 * item.size * side))
    layer = Image.merge("LA", (Image.new("L", (side, side), 0), shadow.point(lambda a: a * SHADOW)))
    canvas = layer.convert("RGBA")
    canvas.alpha_composite(
        image.crop(_visible_box(left, top, image.width, side)), _corner(left, top)
    )
    return canvas, np.asarray(alpha)


def _visible_box(left: int, top: int, pixels: int, side: int) -> tuple[int, int, int, int]:
    """The part of a sprite that falls on the picture, in sprite pixels."""
    return (
        max(0, -left),
        max(0, -top),
        max(0, min(pixels, side - left), -left),
        max(0, min(pixels, side - top), -top),
    )


def _corner(left: int, top: int) -> tuple[int, int]:
    return max(0, left), max(0, top)


def render(scene: Scene, side: int = 128) -> Rendering:
    """Render a scene; the same scene always gives the same pixels."""
    base = _draw_place(scene.place, side, scene.seed)
    picture = Image.fromarray(base).convert("RGBA")
    layers = [np.asarray(picture)]
    alphas: list[Bytes] = []
    for item in scene.items:
        layer, alpha = _draw_layer(item, scene.light, side)
        picture.alpha_composite(layer)
        layers.append(np.asarray(layer))
        alphas.append(alpha)
    footprints = tuple(np.array(layer[..., 3]) for layer in layers[1:])
    image = np.asarray(picture.convert("RGB"))
    return Rendering(image, tuple(layers), _visible_alphas(alphas), footprints)


def _visible_alphas(alphas: list[Bytes]) -> tuple[Bytes, ...]:
    """Each thing's coverage less what later things hide."""
    masks: list[Bytes] = []
    free: npt.NDArray[np.float64] = np.ones(alphas[0].shape if alphas else (1, 1))
    for alpha in reversed(alphas):
        masks.append(np.rint(alpha * free).astype(np.uint8))
        free = free * (1 - alpha / 255)
    return tuple(reversed(masks))
