"""Classifier-free guidance (arXiv 2207.12598): the one place of its formula."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.diffusion.model import Prediction

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDED_GUIDANCE = "embedded-guidance"
"""The capability of a network that reads its guidance scale as a number."""


def guide(uncond: "Tensor", cond: "Tensor", scale: "float | Tensor") -> "Tensor":
    """From uncond to cond and beyond: 0 gives uncond, 1 gives cond, more follows cond more.

    uncond, cond: (b, c, h, w) float, unbounded; a scale of shape (b, 1, 1, 1) is one for each row.
    Returns the same shape and dtype.
    """
    return uncond + scale * (cond - uncond)


def guide_prediction(uncond: Prediction, cond: Prediction, scale: "float | Tensor") -> Prediction:
    """Content and noise, both guided: (b, c, h, w) float, unbounded, as for ``guide``."""
    return Prediction(guide(uncond.x0, cond.x0, scale), guide(uncond.eps, cond.eps, scale))


def rows_with_guidance(scales: Sequence[float]) -> list[int]:
    """The rows whose scale is not 1; the others need no unconditional prediction."""
    return [row for row, scale in enumerate(scales) if scale != 1]


def guide_rows(uncond: Prediction, cond: Prediction, scales: Sequence[float]) -> Prediction:
    """Every row of cond guided by its own scale; a row whose scale is 1 is returned as it is.

    cond: (b, c, h, w) float, unbounded; uncond has one row for each of ``rows_with_guidance``, in
    their order. Returns the shape and dtype of cond.
    """
    import torch

    rows = rows_with_guidance(scales)
    if not rows:
        return cond
    scale = torch.tensor([scales[row] for row in rows]).to(cond.x0)[:, None, None, None]
    x0, eps = cond.x0.clone(), cond.eps.clone()
    x0[rows], eps[rows] = guide_prediction(uncond, Prediction(x0[rows], eps[rows]), scale)
    return Prediction(x0, eps)
