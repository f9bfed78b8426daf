"""The outline of what words refer to: a coarse map of attention, made exact by the picture itself.

A map of attention shows where a thing is in cells of the model. GrabCut (Rother et al. 2004, in
OpenCV) takes the brightest part of the map as the thing, what is far from it as background, and
finds the border between their colours.
"""

import cv2
import numpy as np
import numpy.typing as npt

from core.ai.crop import unit
from core.paint.tiles import Pixels

Floats = npt.NDArray[np.float32]

SIDE = 256
"""Longest side, in pixels, at which colours are compared."""
MAYBE, LIKELY, CERTAIN = 0.15, 0.5, 0.85
"""Brightness 0..1 of the map from which on a pixel may belong, probably does, certainly does."""
LESSER = 0.5
"""Parts whose brightness sums up to this share of the largest part's belong to the thing too."""
NEAR = 1 / 6
"""How far from the bright part the thing may reach, as a share of the longest side."""
ROUNDS = 3
UNUSED = (0, 0, 1, 1)
"""GrabCut takes no rectangle where it begins with a mask."""
MARGIN = 0.05
"""By how much the outline grows, as a share of its diagonal: shadows and soft edges belong."""


def find_outline(picture: Pixels, brightness: Pixels, margin: float = MARGIN) -> Pixels:
    """Return the region of the thing that a map shows, 255 inside and 0 outside.

    picture: height x width x 3 uint8, 0..255; brightness, the map, and the result are height x
    width uint8, 0..255. The result is 0 everywhere where the map is nowhere bright.
    """
    height, width = brightness.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    bright = unit(np.asarray(cv2.resize(brightness, size), np.uint8))
    found = _cut_out(small, bright)
    if not found.any():
        return np.zeros_like(brightness)
    whole = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return _grow(np.where(whole >= 128, 255, 0).astype(np.uint8), margin)


def fill_hull(region: Pixels) -> Pixels:
    """Return the convex hull of a region; both are height x width uint8, 255 inside, 0 outside."""
    points = cv2.findNonZero(region)
    if points is None:
        return region
    hull = cv2.convexHull(points)
    return np.asarray(cv2.fillConvexPoly(np.zeros_like(region), hull, 255), np.uint8)


def _cut_out(picture: Pixels, bright: Floats) -> Pixels:
    """GrabCut from a map, at one size: 255 where the thing is."""
    likely = _largest_parts(bright)
    if not likely.any() or likely.all():
        return np.where(likely, 255, 0).astype(np.uint8)
    reach = max(3, round(max(picture.shape[:2]) * NEAR)) | 1
    near = cv2.dilate(likely.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    labels = np.full(bright.shape, cv2.GC_BGD, np.uint8)
    labels[near & (bright > MAYBE)] = cv2.GC_PR_BGD
    labels[likely] = cv2.GC_PR_FGD
    labels[likely & (bright > min(CERTAIN, 0.9 * float(bright[likely].max())))] = cv2.GC_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, labels, UNUSED, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.where((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)


def _largest_parts(bright: Floats) -> npt.NDArray[np.bool_]:
    """The connected bright parts that weigh enough beside the heaviest one."""
    likely = (bright > LIKELY).astype(np.uint8)
    count, labels = cv2.connectedComponents(likely)
    weights = np.bincount(labels.ravel(), bright.ravel(), count)
    weights[0] = 0
    kept = np.flatnonzero((weights > 0) & (weights >= LESSER * weights.max()))
    return np.isin(labels, kept)


def _grow(region: Pixels, margin: float) -> Pixels:
    """The region grown by a share of its diagonal."""
    _, _, width, height = cv2.boundingRect(region)
    reach = round(margin * float(np.hypot(width, height)))
    if not reach:
        return region
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(region, disc), np.uint8)
