"""What a brush looks like: one stroke of it, swelling and thinning like that of a pen."""

import math
from typing import TYPE_CHECKING

import numpy as np

from core.geometry import Rect
from core.paint.pointer import PointerEvent, PointerKind, StrokePath

if TYPE_CHECKING:
    from core.catalog import Brush
    from core.paint.pointer import Stamp
    from core.paint.tiles import Pixels

POINTS = 24


def draw_sample(brush: "Brush", width: int, height: int) -> "Pixels":
    """The coverage of a wavy stroke from left to right: height x width uint8, 0..255."""
    sample, path = np.zeros((height, width), np.uint8), StrokePath()
    for n in range(POINTS + 1):
        t = n / POINTS
        x = width * (0.1 + 0.8 * t)
        y = height / 2 + height / 5 * math.sin(2 * math.pi * t)
        pressure = 0.25 + 0.75 * math.sin(math.pi * t)
        kind = PointerKind.move if n else PointerKind.press
        for place in path.samples(PointerEvent(kind, x, y, pressure), brush.spacing):
            _add(sample, brush.stamp(place))
    return sample


def _add(sample: "Pixels", stamp: "Stamp") -> None:
    """Lay a stamp over the sample; where both cover, the denser one counts."""
    height, width = sample.shape
    inside = stamp.rect & Rect(0, 0, width, height)
    if inside:
        dab = stamp.alpha[inside.translate(-stamp.x, -stamp.y).slices] * stamp.flow
        shown = sample[inside.slices]
        np.maximum(shown, np.rint(dab).astype(np.uint8), out=shown)
