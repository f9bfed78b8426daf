"""How alike two pictures are: PSNR, SSIM, MSE, and the distance of their structure.

Pictures are height x width x 3 floats in 0..1.
"""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
MAX_PSNR = 99.0
"""Decibels of equal pictures, whose ratio has no end."""
WINDOW, SPREAD = 11, 1.5
FIRST, SECOND = 0.01**2, 0.03**2


def mse(one: Floats, other: Floats, where: Any = None) -> float:
    """The mean squared difference, over a bool mask of pixels when there is one."""
    squared = ((one - other) ** 2).mean(2)
    if where is None:
        return float(squared.mean())
    return float(squared[where].mean()) if where.any() else float("nan")


def psnr(one: Floats, other: Floats, where: Any = None) -> float:
    """Decibels, at most 99."""
    error = mse(one, other, where)
    return error if np.isnan(error) else min(MAX_PSNR, -10 * float(np.log10(max(error, 1e-12))))


def ssim(one: Floats, other: Floats, where: Any = None) -> float:
    """Structural similarity (Wang et al. 2004): Gaussian window of 11 pixels, deviation 1.5."""
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
    """Mean squared difference of the cosine self-similarities of two feature maps (c, h, w).

    As Splicing ViT Features (arXiv 2201.00424) has it; the features are the caller's choice.
    """
    from torch.nn.functional import normalize

    rows = [normalize(features.flatten(1).T, dim=1) for features in (one, other)]
    alike = [cells @ cells.T for cells in rows]
    return float((alike[0] - alike[1]).square().mean())
