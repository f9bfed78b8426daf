"""Metrics of two pictures: PSNR, SSIM, MSE, and the distance of their structure."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
MAX_PSNR = 99.0
"""Decibels of equal pictures, whose ratio is infinite."""
WINDOW, SPREAD = 11, 1.5
FIRST, SECOND = 0.01**2, 0.03**2


def mse(one: Floats, other: Floats, where: Any = None) -> float:
    """Compute the mean squared difference of height x width x 3 float32 pictures, 0..1.

    With ``where``, a height x width bool mask, only its pixels count; NaN when it is empty.
    """
    squared = ((one - other) ** 2).mean(2)
    if where is None:
        return float(squared.mean())
    return float(squared[where].mean()) if where.any() else float("nan")


def psnr(one: Floats, other: Floats, where: Any = None) -> float:
    """Compute the PSNR of height x width x 3 float32 pictures, 0..1, in decibels, at most 99.

    With ``where``, a height x width bool mask, only its pixels count; NaN when it is empty.
    """
    error = mse(one, other, where)
    return error if np.isnan(error) else min(MAX_PSNR, -10 * float(np.log10(max(error, 1e-12))))


def ssim(one: Floats, other: Floats, where: Any = None) -> float:
    """Compute the SSIM (Wang et al. 2004; Gaussian window of 11 pixels, deviation 1.5).

    The pictures are height x width x 3 float32, 0..1. With ``where``, a height x width bool mask,
    only its pixels count; NaN when it is empty.
    """
    where = np.ones(one.shape[:2], bool) if where is None else where
    if not where.any():
        return float("nan")
    mean_one, mean_other = _blur(one), _blur(other)
    spread_one = _blur(one * one) - mean_one**2
    spread_other = _blur(other * other) - mean_other**2
    common = _blur(one * other) - mean_one * mean_other
    above = (2 * mean_one * mean_other + FIRST) * (2 * common + SECOND)
    below = (mean_one**2 + mean_other**2 + FIRST) * (spread_one + spread_other + SECOND)
    return float((above / below).mean(2)[where].mean())


def _blur(picture: Floats) -> npt.NDArray[np.float64]:
    wide = picture.astype(np.float64)
    return np.asarray(
        cv2.GaussianBlur(wide, (WINDOW, WINDOW), SPREAD, borderType=cv2.BORDER_REFLECT)
    )


def structure_distance(one: "Tensor", other: "Tensor") -> float:
    """Compute the mean squared difference of the cosine self-similarities of two feature maps.

    They are (c, h, w) float, unbounded. Splicing ViT Features (arXiv 2201.00424) defines it for
    ViT features; here the caller chooses the features.
    """
    from torch.nn.functional import normalize

    rows = [normalize(features.flatten(1).T, dim=1) for features in (one, other)]
    similarities = [cells @ cells.T for cells in rows]
    return float((similarities[0] - similarities[1]).square().mean())
