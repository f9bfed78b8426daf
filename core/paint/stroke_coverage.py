"""How much of each pixel a stroke has covered so far, 16 bits deep so that faint dabs add up."""

import cv2
import numpy as np
import numpy.typing as npt

from core.geometry import Rect
from core.paint.tiles import TILE, Key, Pixels

Deep = npt.NDArray[np.uint16]
FULL = 65535


class StrokeCoverage:
    """The transmittance of a stroke, 65535 where nothing is covered, in the plane's own tiles."""

    def __init__(self) -> None:
        self._transmittance: dict[Key, Deep] = {}

    def add(self, key: Key, inside: Rect, dab: Pixels, flow: float) -> Deep:
        """Add a dab to a part of one tile; it covers its alpha times flow (0..1).

        dab: height x width uint8, 0..255. Returns the transmittance of all dabs so far there:
        height x width uint16, 0..65535, a view.
        """
        tile = self._transmittance.get(key)
        if tile is None:
            tile = self._transmittance[key] = np.full((TILE, TILE), FULL, np.uint16)
        table = np.rint((1 - flow * np.arange(256) / 255) * FULL).astype(np.uint16)
        before = tile[inside.slices]
        after = cv2.multiply(before, cv2.LUT(dab, table), scale=1 / FULL)
        before[:] = np.asarray(after).reshape(before.shape)
        return before


def strength(transmittance: Deep, opacity: float) -> Pixels:
    """The alpha of what is covered, at most opacity (0..1).

    transmittance: height x width uint16, 0..65535, as StrokeCoverage returns it. Returns
    height x width uint8, 0..255.
    """
    bytes_ = cv2.convertScaleAbs(transmittance, alpha=-opacity / 257, beta=255 * opacity)
    return np.asarray(bytes_, np.uint8).reshape(transmittance.shape)
