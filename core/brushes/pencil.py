"""The pencil: hard pixels without antialiasing."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from core.catalog import brushes
from core.paint.pointer import Sample, Stamp
from core.params import BrushSize, Range, Switch


@brushes.register
class Pencil:
    """Whole pixels, for pixel art and clean masks."""

    id: ClassVar[str] = "pencil"
    label: ClassVar[str] = "Pencil"

    @dataclass(frozen=True)
    class Params:
        size: Annotated[float, BrushSize(1, 1000, "Size", "px", step=1)] = 1.0
        flow: Annotated[float, Range(1, 100, "Flow", "%", step=1)] = 100.0
        spacing: Annotated[float, Range(1, 100, "Spacing", "%", step=1)] = 10.0
        pressure_size: Annotated[bool, Switch("Pressure changes size")] = False
        pressure_flow: Annotated[bool, Switch("Pressure changes flow")] = False

    def __init__(self, params: Any) -> None:
        self.params: Pencil.Params = params

    def spacing(self, pressure: float) -> float:
        return max(0.5, self._side(pressure) * self.params.spacing / 100)

    def stamp(self, sample: Sample) -> Stamp:
        """A dab of ``size`` pixels a side, on the pixel under the sample."""
        side, flow = self._side(sample.pressure), self.params.flow / 100
        if self.params.pressure_flow:
            flow *= min(1.0, max(0.0, sample.pressure))
        x, y = math.floor(sample.x - (side - 1) / 2), math.floor(sample.y - (side - 1) / 2)
        if sample.pressure <= 0:
            return Stamp(np.zeros((1, 1), np.uint8), x, y, 0.0)
        across = (np.arange(side) - (side - 1) / 2) ** 2
        inside = np.add.outer(across, across) <= side * side / 4
        return Stamp(np.where(inside, np.uint8(255), np.uint8(0)), x, y, flow)

    def _side(self, pressure: float) -> int:
        share = min(1.0, max(0.0, pressure)) if self.params.pressure_size else 1.0
        return max(1, round(self.params.size * share))
