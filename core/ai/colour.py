"""Ring colour match: remove the colour shift that a model adds to what it did not edit.

Result and original are compared in a band just outside the mask, where they should agree. The
difference is smoothed and subtracted inside. Works in OKLab (Ottosson 2020).
"""

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MIN_SHIFT = 0.01
"""Smallest OKLab difference (about 1 dE) that is corrected."""
MAX_SHIFT = 0.10
"""From this OKLab difference on it is an edit and not a shift, so it is kept."""
MAX_FIELD_SIDE = 96
"""Longest side, in pixels, at which the smooth correction is computed."""

_TO_CONE = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_CONE = np.linalg.inv(_TO_CONE.astype(np.float64)).astype(np.float32)
_FROM_LAB = np.linalg.inv(_TO_LAB.astype(np.float64)).astype(np.float32)


def to_oklab(rgb: Floats) -> Floats:
    """Convert sRGB-coded height x width x 3 float32, 0..1, to OKLab of that shape and dtype."""
    low = rgb / np.float32(12.92)
    high = ((rgb + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    linear = np.where(rgb <= 0.04045, low, high)
    return np.asarray(np.cbrt(linear @ _TO_CONE.T) @ _TO_LAB.T, np.float32)


def from_oklab(lab: Floats) -> Floats:
    """Convert OKLab (height x width x 3 float32, unbounded) to sRGB-coded values, cut to 0..1."""
    linear = ((lab @ _FROM_LAB.T) ** 3) @ _FROM_CONE.T
    linear = linear.clip(0, 1)
    high = np.float32(1.055) * linear ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, high), np.float32)


def ring(support: npt.NDArray[np.bool_], feather: float) -> Floats:
    """Return the band up to two feathers outside the support, in which colours are compared.

    support: height x width bool, True where anything may change. Returns height x width float32,
    0..1 (either 0 or 1).
    """
    outside = (~support).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_5)
    band = (distance > 0) & (distance <= max(8.0, 2 * feather))
    return band.astype(np.float32)


def match_colours(result: Floats, original: Floats, band: Floats, feather: float) -> Floats:
    """Return the result without the colour shift that is measured in the band.

    result and original: height x width x 3 float32, 0..1. band: height x width float32, 0..1,
    1 = compare. Returns the shape, dtype and range of the result.
    """
    if not band.any():
        return result
    shift = _correction(result, original, band, feather)
    if shift is None:
        return result
    height, width = band.shape
    smooth = cv2.resize(shift, (width, height), interpolation=cv2.INTER_LINEAR)
    return from_oklab(to_oklab(result) + np.asarray(smooth, np.float32))


def _correction(result: Floats, original: Floats, band: Floats, feather: float) -> Floats | None:
    """A small picture of the OKLab correction, or None when there is nothing to correct."""
    scale = min(1.0, MAX_FIELD_SIDE / max(band.shape))
    size = (max(1, round(band.shape[1] * scale)), max(1, round(band.shape[0] * scale)))
    weight = _shrink(band, size)
    first, second = (_mean_lab(picture, band, weight, size) for picture in (result, original))
    difference = (second - first) * weight[..., None]
    total = np.maximum(weight.sum(), 1e-6)
    error = float(np.linalg.norm(difference.sum((0, 1)) / total))
    if error < MIN_SHIFT or error >= MAX_SHIFT:
        return None
    sigma = max(2.0, 2 * feather * scale)
    blurred = cv2.GaussianBlur(difference, (0, 0), sigma)
    count = np.asarray(cv2.GaussianBlur(weight, (0, 0), sigma), np.float32)[..., None]
    mean = difference.sum((0, 1)) / total
    trust = count / (count + np.float32(0.02))
    local = np.asarray(blurred, np.float32) / np.maximum(count, 1e-6)
    return np.asarray(trust * local + (1 - trust) * mean, np.float32)


def _mean_lab(picture: Floats, band: Floats, weight: Floats, size: tuple[int, int]) -> Floats:
    """OKLab of the mean colour of the band in each cell; cells without band do not count."""
    mean = _shrink(picture * band[..., None], size) / np.maximum(weight, 1e-6)[..., None]
    return to_oklab(mean.clip(0, 1))


def _shrink(picture: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
