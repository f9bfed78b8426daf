"""How much of each pixel a stroke has covered so far, 16 bits deep so that faint dabs add up."""

import cv2
import numpy as np
import numpy.typing as npt

from core.geometry import Rect
from core.paint.tiles import TILE, Key, Pixels

Deep = npt.NDArray[np.uint16]
FULL = 65535


class StrokeCoverage:
    """Kept as what still shines through, in the tiles of the plane that is painted on."""

    def __init__(self) -> None:
        self._through: dict[Key, Deep] = {}

    def add(self, key: Key, inside: Rect, dab: Pixels, flow: float) -> Deep:
        """Lay a dab (bytes, height x width) over a part of one tile.

        Gives what shines through all dabs so far, 0..65535; dab times flow (0..1) is covered.
        """
        tile = self._through.get(key)
        if tile is None:
            tile = self._through[key] = np.full((TILE, TILE), FULL, np.uint16)
        table = np.rint((1 - flow * np.arange(256) / 255) * FULL).astype(np.uint16)
        before = tile[inside.slices]
        after = cv2.multiply(before, cv2.LUT(dab, table), scale=1 / FULL)
        before[:] = np.asarray(after).reshape(before.shape)
        return before


def strength(through: Deep, opacity: float) -> Pixels:
    """Bytes of coverage, at most opacity (0..1)."""
    bytes_ = cv2.convertScaleAbs(through, alpha=-opacity / 257, beta=255 * opacity)
    return np.asarray(bytes_, np.uint8).reshape(through.shape)
