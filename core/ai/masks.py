"""The two masks of an edit: how much each pixel may change, and how much of the result shows.

A painted value is a weight: no pixel shows more of the result than that share of 255, except close
to firmer paint, from which both masks grow by the lengths of krita-ai-diffusion's defaults, scaled
by the region's size and by how much is changed.
"""

from collections.abc import Iterator
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
INNER_EDGE, MAX_INNER_EDGE = 0.02, 8
"""Over which width a confined result fades in: share of the region's diagonal, and pixels."""
FAINT = 8
"""Paint up to this value (3 %) shows by its weight, but neither widens the crop nor is denoised."""
FIRM = 128
"""Paint from this value on may change wholly and grows outward; less is denoised in proportion."""
GROWN_FROM = (FIRM, 170, 212, 250)
"""Painted values from which on the composite mask grows, each by the weight of its paint."""


class Transition(NamedTuple):
    """Lengths in canvas pixels: full change reaches ``offset`` outside, then fades in feather."""

    offset: int
    feather: int
    blend: int

    @property
    def reach(self) -> int:
        """How far outside the painted region anything can change."""
        return self.offset + self.feather


def transition(painted: Rect, change: float, confined: bool = False) -> Transition:
    """The lengths for a region's bounds and an amount of change, 0..1.

    A confined edit reaches no pixel outside the region.
    """
    if confined:
        return Transition(0, 1, 1)
    feather = int(max(FEATHER * change * diagonal(painted), MIN_FEATHER * change, 1))
    return Transition(OFFSET, feather, min(BLEND, OFFSET + feather - 1))


def faint_limit(painted: Pixels) -> int:
    """The value up to which paint counts for nothing but its weight; 0 where all of it is faint.

    painted: pixels of any shape, uint8, 0..255.
    """
    return FAINT if painted.size and painted.max() > FAINT else 0


def denoise_mask(painted: Pixels, lengths: Transition) -> Pixels:
    """Return how much each pixel may change: the firm region grown, then feathered.

    painted and the mask are height x width uint8, 0..255.
    """
    soft = np.rint(painted * np.float32(255 / FIRM)).clip(0, 255)
    soft = np.where(painted > faint_limit(painted), soft, 0).astype(np.uint8)
    outside = np.where(painted >= FIRM, 0, 255).astype(np.uint8)
    if outside.all():
        return soft
    ramp = (lengths.reach - _distance(outside)) * np.float32(255 / lengths.feather)
    grown: Pixels = np.rint(ramp.clip(0, 255)).astype(np.uint8)
    return np.asarray(np.maximum(grown, soft), np.uint8)


def composite_mask(painted: Pixels, lengths: Transition) -> Floats:
    """Return how much of the result shows: the painted weight, faded outward from firm paint.

    painted: height x width uint8, 0..255. Returns height x width float32, 0..1.
    """
    shown = np.divide(painted, 255, dtype=np.float32)
    for inside, weight in _grown_regions(painted):
        np.maximum(shown, weight * _fade(inside, lengths), out=shown)
    return shown


def inner_edge(painted: Pixels, bounds: Rect) -> Pixels:
    """Return the most that a confined result may show: 0 outside the region, full a little inside.

    painted and the result are height x width uint8, 0..255; bounds are those of the region.
    """
    inside = (painted > 0).astype(np.uint8)
    if inside.all():
        return np.full_like(painted, 255)
    width = min(max(1.0, INNER_EDGE * diagonal(bounds)), MAX_INNER_EDGE)
    share = ((_distance(inside) - 0.5) / width).clip(0, 1)
    return np.asarray(np.rint(share * share * (3 - 2 * share) * 255), np.uint8)


def _grown_regions(painted: Pixels) -> Iterator[tuple[npt.NDArray[np.bool_], np.float32]]:
    """The regions that grow, each with the least weight painted in it."""
    count = 0
    for value in reversed(GROWN_FROM):
        inside = painted >= value
        size = int(np.count_nonzero(inside))
        if size > count:
            yield inside, np.float32(painted[inside].min() / 255)
        count = size


def _fade(inside: npt.NDArray[np.bool_], lengths: Transition) -> Floats:
    """1 inside, and smoothly to 0 at the end of reach."""
    if inside.all():
        return np.ones(inside.shape, np.float32)
    outward = lengths.reach - _distance(np.where(inside, 0, 255).astype(np.uint8))
    reached = outward > lengths.feather / 510  # where the denoise mask is not rounded to 0
    if reached.all():
        return np.ones(inside.shape, np.float32)
    share = ((_distance(reached.astype(np.uint8)) - 0.5) / lengths.blend).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _distance(nonzero: Pixels) -> Floats:
    """From each pixel to the nearest zero pixel, in pixels."""
    return np.asarray(
        cv2.distanceTransform(nonzero, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32
    )
