"""The crop of the canvas that a model gets, and the scaling to the model's size and back.

``context`` chooses a rectangle around the mask. ``to_model`` scales the crop to a size that the
model accepts. ``from_model`` scales a result back to exactly the crop's size. The canvas itself is
never resampled.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from core.geometry import Rect, Size
from core.paint.tiles import Pixels

Floats = npt.NDArray[np.float32]

MIN_MARGIN = 32
MARGIN = 0.12
"""Context around the mask: pixels, and share of the mask's diagonal, whichever is larger."""

MIN_ASPECT = 1 / 3
"""Crops slimmer than this are mirrored outwards, because models are not trained on thin strips."""


class Geometry(NamedTuple):
    """What a model wants of pictures: best side, and what sides divide by, both in pixels."""

    native: int
    multiple: int


class Fit(NamedTuple):
    """How a crop becomes the model's picture: mirrored out by ``pad``, then scaled to ``size``."""

    crop: Size
    pad: tuple[int, int]
    size: Size

    @property
    def padded(self) -> Size:
        return Size(self.crop.width + self.pad[0], self.crop.height + self.pad[1])

    @property
    def scale(self) -> float:
        """Model pixels per canvas pixel."""
        return self.size.width / self.padded.width


def context(mask: Rect, canvas: Rect, geometry: Geometry, reach: int = 0) -> Rect:
    """Return the crop for a mask: its bounds and surroundings, square, at least native if it fits.

    reach is how far outside its bounds the mask still acts, in pixels. Edges lie on the model's
    grid unless they are the canvas's own. Near a border the crop moves inward.
    """
    margin = max(MIN_MARGIN, round(MARGIN * diagonal(mask)), reach)
    wanted = (mask.pad(margin) & canvas).snap(geometry.multiple)
    side = max(geometry.native, wanted.width, wanted.height)
    side = -(-side // geometry.multiple) * geometry.multiple
    x = _start_of_span(wanted.x, wanted.right, side, canvas.right, geometry.multiple)
    y = _start_of_span(wanted.y, wanted.bottom, side, canvas.bottom, geometry.multiple)
    return Rect(x, y, side, side) & canvas


def unit(pixels: Pixels) -> Floats:
    """Return bytes (shaped like any picture, 0..255) as float32 of that shape in 0..1."""
    return np.divide(pixels, 255, dtype=np.float32)


def diagonal(rect: Rect) -> float:
    """The length of a rectangle's diagonal, in pixels."""
    return float(np.hypot(rect.width, rect.height))


def _start_of_span(low: int, high: int, side: int, end: int, grid: int) -> int:
    """Where a span of a given side starts: around low..high, on the grid, within 0..end."""
    start = ((low + high - side) // 2) // grid * grid
    start = max(start, high - side)
    return max(0, min(start, end - side))


def fit(crop: Size, geometry: Geometry) -> Fit:
    """Return how a crop is scaled: about native² in area, aspect kept, sides in its multiples."""
    longer = max(crop)
    least = min(longer, max(1, round(longer * MIN_ASPECT)))
    pad = (max(0, least - crop.width), max(0, least - crop.height))
    width, height = crop.width + pad[0], crop.height + pad[1]
    scale = geometry.native / float(np.sqrt(width * height))
    sides = (_round_to(side * scale, geometry.multiple) for side in (width, height))
    return Fit(crop, pad, Size(*sides))


def _round_to(side: float, multiple: int) -> int:
    return max(1, round(side / multiple)) * multiple


def to_model(crop: Pixels, mask: Pixels, geometry: Geometry) -> tuple[Floats, Floats]:
    """Scale a crop (height x width x 3 uint8, 0..255) and its denoise mask (height x width uint8).

    Returns the picture and the mask at the model's size, float32 in 0..1. Scaling down never
    weakens the mask.
    """
    fitting = fit(Size(crop.shape[1], crop.shape[0]), geometry)
    padded = np.pad(mask, ((0, fitting.pad[1]), (0, fitting.pad[0])))
    return scale_to_model(crop, geometry), _resize_mask(padded, fitting.size)


def scale_to_model(crop: Pixels, geometry: Geometry) -> Floats:
    """Scale a crop (height x width x 3 uint8, 0..255) to the model's size, float32 in 0..1."""
    fitting = fit(Size(crop.shape[1], crop.shape[0]), geometry)
    return _resize(unit(_mirror_pad(crop, fitting)), fitting.size).clip(0, 1)


def from_model(result: Floats, crop: Size, geometry: Geometry) -> Floats:
    """Scale a result (height x width x 3 float32, 0..1) from the model's size to the crop's."""
    fitting = fit(crop, geometry)
    scaled = _resize(result, fitting.padded)[: crop.height, : crop.width]
    return np.ascontiguousarray(scaled.clip(0, 1))


def origin(rect: Rect, geometry: Geometry, factor: int) -> tuple[int, int]:
    """The crop's corner on the canvas in latent cells, which anchors the noise."""
    scale = fit(rect.size, geometry).scale
    return round(rect.x * scale / factor), round(rect.y * scale / factor)


def _mirror_pad(crop: Pixels, fitting: Fit) -> Pixels:
    if fitting.pad == (0, 0):
        return crop
    return np.pad(crop, ((0, fitting.pad[1]), (0, fitting.pad[0]), (0, 0)), mode="symmetric")


def _resize(picture: Floats, size: Size) -> Floats:
    height, width = picture.shape[:2]
    if (width, height) == size:
        return np.asarray(picture, np.float32)
    is_smaller = size.width * size.height < width * height
    interpolation = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.float32)


def _resize_mask(mask: Pixels, size: Size) -> Floats:
    """The mask at another size, each pixel at least as strong as the average it stands for."""
    height, width = mask.shape
    if size.width < width or size.height < height:
        reach = (-(-width // size.width) | 1, -(-height // size.height) | 1)
        mask = np.asarray(cv2.dilate(mask, np.ones(reach[::-1], np.uint8)), np.uint8)
    return _resize(unit(mask), size).clip(0, 1)
