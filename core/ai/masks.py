"""The two masks of an edit: how much each pixel may change, and how much of the result shows.

Both grow from the painted region by the lengths of krita-ai-diffusion's defaults, scaled by the
region's size and by how much is changed. Both are 1 wherever the person painted firmly.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from core.ai.crop import diagonal
from core.geometry import Rect
from core.paint.tiles import Pixels

Floats = npt.NDArray[np.float32]

FEATHER = 0.10
MIN_FEATHER = 32
OFFSET = 4
BLEND = 25
FIRM = 128
"""A painted value from here on counts as wholly inside; below, it is an amount of change."""


class Transition(NamedTuple):
    """Lengths in canvas pixels: full change reaches ``offset`` outside, then fades in feather."""

    offset: int
    feather: int
    blend: int

    @property
    def reach(self) -> int:
        """How far outside the painted region anything can change."""
        return self.offset + self.feather


def transition(painted: Rect, change: float) -> Transition:
    """The lengths for a region's bounds and an amount of change, 0..1."""
    feather = int(max(FEATHER * change * diagonal(painted), MIN_FEATHER * change, 1))
    return Transition(OFFSET, feather, min(BLEND, OFFSET + feather - 1))


def denoise_mask(painted: Pixels, lengths: Transition) -> Pixels:
    """Return how much each pixel may change: the region grown, then feathered.

    painted and the mask are height x width uint8, 0..255.
    """
    outside = np.where(painted >= FIRM, 0, 255).astype(np.uint8)
    if outside.all():
        return painted
    ramp = (lengths.reach - _distance(outside)) * np.float32(255 / lengths.feather)
    grown: Pixels = np.rint(ramp.clip(0, 255)).astype(np.uint8)
    return np.maximum(grown, painted)


def composite_mask(denoise: Pixels, lengths: Transition) -> Floats:
    """Return how much of the result shows: smooth, and 0 outside the denoise mask.

    denoise: height x width uint8, 0..255. Returns height x width float32, 0..1.
    """
    inside = (denoise > 0).astype(np.uint8)
    if inside.all():
        return np.ones(inside.shape, np.float32)
    share = ((_distance(inside) - 0.5) / lengths.blend).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _distance(nonzero: Pixels) -> Floats:
    """From each pixel to the nearest zero pixel, in pixels."""
    return np.asarray(
        cv2.distanceTransform(nonzero, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32
    )
