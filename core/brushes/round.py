"""The round brush: a disc with a soft edge."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import cv2
import numpy as np

from core.catalog import brushes
from core.paint.pointer import Sample, Stamp
from core.params import BrushHardness, BrushSize, Range, Switch

if TYPE_CHECKING:
    from core.paint.tiles import Pixels


@brushes.register
class Round:
    """A disc with a soft edge, from a fine pen to a wide airbrush."""

    id: ClassVar[str] = "round"
    label: ClassVar[str] = "Round"

    @dataclass(frozen=True)
    class Params:
        size: Annotated[float, BrushSize(1, 1000, "Size", "px", step=1)] = 24.0
        hardness: Annotated[float, BrushHardness(0, 100, "Hardness", "%", step=1)] = 70.0
        flow: Annotated[float, Range(1, 100, "Flow", "%", step=1)] = 100.0
        spacing: Annotated[float, Range(1, 100, "Spacing", "%", step=1)] = 10.0
        pressure_size: Annotated[bool, Switch("Pressure changes size")] = True
        pressure_flow: Annotated[bool, Switch("Pressure changes flow")] = False

    def __init__(self, params: Any) -> None:
        self.params: Round.Params = params

    def spacing(self, pressure: float) -> float:
        return max(0.5, 2 * self._radius(pressure) * self.params.spacing / 100)

    def stamp(self, sample: Sample) -> Stamp:
        """A dab of at most ``size`` + 2 pixels a side around the sample."""
        radius, flow = self._radius(sample.pressure), self.params.flow / 100
        if self.params.pressure_flow:
            flow *= _clip_unit(sample.pressure)
        x, y = math.floor(sample.x - radius), math.floor(sample.y - radius)
        if sample.pressure <= 0 or radius <= 0:
            return Stamp(np.zeros((1, 1), np.uint8), x, y, 0.0)
        side = math.ceil(2 * radius) + 1
        alpha = _draw_disc(side, sample.x - x, sample.y - y, radius, self.params.hardness / 100)
        return Stamp(alpha, x, y, flow)

    def _radius(self, pressure: float) -> float:
        share = _clip_unit(pressure) if self.params.pressure_size else 1.0
        return self.params.size / 2 * share


def _clip_unit(pressure: float) -> float:
    return min(1.0, max(0.0, pressure))


def _draw_disc(side: int, x: float, y: float, radius: float, hardness: float) -> "Pixels":
    """Coverage of a disc whose edge falls off from ``hardness`` of its radius on.

    The edge is never sharper than a pixel; a disc smaller than a pixel is fainter instead.
    """
    across = np.arange(side, dtype=np.float32) + np.float32(0.5)
    distance = cv2.sqrt(np.add.outer((across - y) ** 2, (across - x) ** 2))
    soft = max(1.0, radius * (1 - hardness))
    slope = 255 / soft
    inside = cv2.addWeighted(distance, -slope, distance, 0, (radius + 0.5) * slope, dtype=cv2.CV_8U)
    return np.asarray(cv2.LUT(inside, _edge_table(soft > 1, min(1.0, 2 * radius))), np.uint8)


def _edge_table(is_soft: bool, faint: float) -> "Pixels":
    """A table from the distance into the edge (0..255) to coverage (0..255)."""
    t = np.arange(256) / 255
    share = t * t * (3 - 2 * t) if is_soft else t
    return np.rint(share * (255 * faint)).astype(np.uint8)
