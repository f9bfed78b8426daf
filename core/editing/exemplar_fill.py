"""Fills a hole in a picture with patches from around it, so that edges run on through the hole.

The method of Criminisi, Perez and Toyama, "Region Filling and Object Removal by Exemplar-Based
Image Inpainting" (2004): again and again the patch at the hole's border that is best known, and
where an edge runs into the hole, is completed from the most similar whole patch.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from core.diffusion.model import Image

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

MAX_SIDE = 128
"""Longest side at which patches are compared; larger pictures are filled at a smaller size."""
HALF = 3
"""From the middle of a patch to its edge, in pixels."""
SIDE = 2 * HALF + 1
DISTANCE_COST = 1e-6 * SIDE * SIDE
"""What a squared pixel of distance adds to a patch's difference: near patches win among equals."""


def fill_hole(picture: Image, hole: Bools) -> Image:
    """Return the picture with the hole filled from around it; the rest is the same to the bit.

    picture and the result: height x width x 3 float32, 0..1; hole: height x width bool. A picture
    that is all hole stays as it is, and one with no whole patch outside is filled smoothly.
    """
    if hole.all() or not hole.any():
        return picture
    height, width = hole.shape
    scale = min(1.0, MAX_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    covered = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    filled = _fill(small.clip(0, 1), np.asarray(covered > 0))
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.where(hole[..., None], np.asarray(large, np.float32).clip(0, 1), picture)


def _fill(picture: Floats, hole: Bools) -> Floats:
    """Fill at one size, patch by patch."""
    whole = _whole_patches(hole)
    if not whole.any():
        return _smooth(picture, hole)
    state = _State(picture.copy(), hole.copy(), (~hole).astype(np.float32))
    while state.hole.any():
        _complete(state, _next_patch(state), whole)
    return state.picture


class _State(NamedTuple):
    """What is filled so far, what is still hole, and how well each pixel is known, 0..1."""

    picture: Floats
    hole: Bools
    known: Floats


def _whole_patches(hole: Bools) -> Bools:
    """By corner, the patches that lie in the picture and have no hole."""
    if min(hole.shape) < SIDE:
        return np.zeros((0, 0), np.bool_)
    inside = cv2.erode((~hole).astype(np.uint8), np.ones((SIDE, SIDE), np.uint8))
    return np.asarray(inside[HALF:-HALF, HALF:-HALF] > 0)


def _smooth(picture: Floats, hole: Bools) -> Floats:
    """A fill without patches, for what is too small to have any."""
    pixels = np.rint(picture * 255).astype(np.uint8)
    filled = cv2.inpaint(pixels, hole.astype(np.uint8), HALF, cv2.INPAINT_TELEA)
    return np.divide(filled, 255, dtype=np.float32)


def _next_patch(state: _State) -> tuple[int, int]:
    """The middle, row and column, of the patch at the hole's border to complete next."""
    ring = np.ones((3, 3), np.uint8)
    known = (~state.hole).astype(np.uint8)
    border = state.hole & (cv2.dilate(known, ring) > 0)
    confidence = cv2.boxFilter(state.known, -1, (SIDE, SIDE), borderType=cv2.BORDER_CONSTANT)
    priority = np.where(border, confidence * (_edge_strength(state, known, ring) + 1e-3), -1)
    row, column = np.unravel_index(int(priority.argmax()), priority.shape)
    return int(row), int(column)


def _edge_strength(state: _State, known: Bytes, ring: Bytes) -> Floats:
    """How strongly edges of the known picture run across the hole's border."""
    grey = np.where(state.hole, 0, state.picture.mean(2)).astype(np.float32)
    sure = (cv2.erode(known, ring) > 0).astype(np.float32)
    slopes = [cv2.Sobel(grey, cv2.CV_32F, *axis) * sure for axis in ((1, 0), (0, 1))]
    across, down = (cv2.boxFilter(slope, -1, (SIDE, SIDE)) for slope in slopes)
    outline = cv2.GaussianBlur(known.astype(np.float32), (SIDE, SIDE), 0)
    normal_x, normal_y = (cv2.Sobel(outline, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    length = np.hypot(normal_x, normal_y) + np.float32(1e-6)
    return np.asarray(np.abs(across * normal_y - down * normal_x) / length, np.float32)


def _complete(state: _State, middle: tuple[int, int], whole: Bools) -> None:
    """Fill the hole's part of one patch from the most similar whole patch."""
    top, left = (
        min(max(at - HALF, 0), side - SIDE)
        for at, side in zip(middle, state.hole.shape, strict=True)
    )
    window = (slice(top, top + SIDE), slice(left, left + SIDE))
    missing = state.hole[window].copy()
    weights = np.repeat((~missing).astype(np.float32)[..., None], 3, axis=2)
    patch = np.ascontiguousarray(state.picture[window])
    cost = cv2.matchTemplate(state.picture, patch, cv2.TM_SQDIFF, mask=weights)
    rows, columns = np.ogrid[: whole.shape[0], : whole.shape[1]]
    cost = cost + ((rows - top) ** 2 + (columns - left) ** 2) * DISTANCE_COST
    row, column = np.unravel_index(int(np.where(whole, cost, np.inf).argmin()), whole.shape)
    source = state.picture[row : row + SIDE, column : column + SIDE]
    state.picture[window] = np.where(missing[..., None], source, state.picture[window])
    level = state.known[window].mean()
    state.known[window] = np.where(missing, level, state.known[window])
    state.hole[window] = False
