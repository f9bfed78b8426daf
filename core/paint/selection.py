"""Selections: soft 8-bit masks with bounds, and the boolean algebra on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.geometry import EMPTY, Rect, Size
from core.paint.tiles import Pixels


@dataclass(frozen=True, eq=False)
class Selection:
    """A soft mask: ``alpha`` (height x width uint8; None is 255 throughout) in ``bounds``, else 0.

    A selection with empty bounds means that nothing is selected, so everything may be edited.
    """

    bounds: Rect = EMPTY
    alpha: Pixels | None = None

    def __bool__(self) -> bool:
        return bool(self.bounds)

    @staticmethod
    def polygon(points: Sequence[tuple[float, float]], canvas: Size) -> "Selection":
        """The inside of a closed outline in document pixels, antialiased, cut to the canvas."""
        corners = np.asarray(points, np.float64)
        if len(corners) < 3:
            return EMPTY_SELECTION
        low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
        around = Rect.from_edges(int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1)
        bounds = around & Rect.of(canvas)
        if not bounds:
            return EMPTY_SELECTION
        alpha = np.zeros((bounds.height, bounds.width), np.uint8)
        fixed = np.round((corners - (bounds.x, bounds.y) - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(alpha, [fixed.reshape(-1, 1, 2)], (255,), cv2.LINE_AA, 4)
        return Selection(bounds, alpha).tighten()

    def read(self, rect: Rect) -> Pixels:
        """The selection's alpha over rect: height x width uint8, 0..255."""
        out = np.zeros((rect.height, rect.width), np.uint8)
        part = rect & self.bounds
        if part:
            inside = part.translate(-self.bounds.x, -self.bounds.y).slices
            value = 255 if self.alpha is None else self.alpha[inside]
            out[part.translate(-rect.x, -rect.y).slices] = value
        return out

    def unite(self, other: "Selection") -> "Selection":
        """What either selection holds: the larger alpha at every pixel."""
        bounds = self.bounds | other.bounds
        return Selection(bounds, np.maximum(self.read(bounds), other.read(bounds)))

    def intersect(self, other: "Selection") -> "Selection":
        """What both selections hold: the smaller alpha at every pixel."""
        bounds = self.bounds & other.bounds
        if not bounds:
            return EMPTY_SELECTION
        return Selection(bounds, np.minimum(self.read(bounds), other.read(bounds))).tighten()

    def subtract(self, other: "Selection") -> "Selection":
        """What this selection holds and the other one does not."""
        if not self:
            return EMPTY_SELECTION
        kept = np.minimum(self.read(self.bounds), 255 - other.read(self.bounds))
        return Selection(self.bounds, kept).tighten()

    def invert(self, canvas: Size) -> "Selection":
        """What is not selected; everything when nothing is selected."""
        everything = Selection(Rect.of(canvas))
        return everything.subtract(self) if self else everything

    def feather(self, radius: float, canvas: Size) -> "Selection":
        """Blurred with a Gaussian whose standard deviation is half the radius in pixels."""
        if not self or radius <= 0:
            return self
        bounds = self.bounds.pad(int(radius * 2) + 1) & Rect.of(canvas)
        return Selection(bounds, _as_bytes(cv2.GaussianBlur(self.read(bounds), (0, 0), radius / 2)))

    def grow(self, by: int, canvas: Size) -> "Selection":
        """Larger by ``by`` pixels all round, smaller when negative."""
        if not self or by == 0:
            return self
        bounds = self.bounds.pad(max(0, by)) & Rect.of(canvas)
        side = 2 * abs(by) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        change = cv2.dilate if by > 0 else cv2.erode
        padded = cv2.copyMakeBorder(
            self.read(bounds), side, side, side, side, cv2.BORDER_CONSTANT, value=(0,)
        )
        alpha = _as_bytes(change(padded, disc))[side:-side, side:-side]
        return Selection(bounds, alpha).tighten()

    def tighten(self) -> "Selection":
        """The same selection with the smallest bounds."""
        if self.alpha is None or not self.bounds:
            return self
        x, y, width, height = cv2.boundingRect(self.alpha)
        if not width:
            return EMPTY_SELECTION
        cut = np.ascontiguousarray(self.alpha[y : y + height, x : x + width])
        return Selection(Rect(self.bounds.x + x, self.bounds.y + y, width, height), cut)


def _as_bytes(array: object) -> Pixels:
    return np.asarray(array, np.uint8)


EMPTY_SELECTION = Selection()
