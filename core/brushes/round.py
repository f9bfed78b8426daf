"""The round brush: a disc with a soft edge."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from core.catalog import brushes
from core.params import Range, Switch
from core.tools.gesture import Sample, Stamp

if TYPE_CHECKING:
    from core.pixels import Pixels


@brushes.register
class Round:
    """A disc with a soft edge, from a fine pen to a wide airbrush."""

    id: ClassVar[str] = "round"
    label: ClassVar[str] = "Round"

    @dataclass(frozen=True)
    class Params:
        size: Annotated[float, Range(1, 1000, "Size", "px", step=1)] = 24.0
        hardness: Annotated[float, Range(0, 100, "Hardness", "%", step=1)] = 70.0
        flow: Annotated[float, Range(1, 100, "Flow", "%", step=1)] = 100.0
        spacing: Annotated[float, Range(1, 100, "Spacing", "%", step=1)] = 10.0
        pressure_size: Annotated[bool, Switch("Pressure changes size")] = True
        pressure_flow: Annotated[bool, Switch("Pressure changes flow")] = False

    def __init__(self, params: Any) -> None:
        self.params: Round.Params = params

    @property
    def spacing(self) -> float:
        return max(0.5, self.params.size * self.params.spacing / 100)

    def stamp(self, sample: Sample) -> Stamp:
        """A dab of at most ``size`` + 2 pixels a side around the sample."""
        pressure = min(1.0, max(0.0, sample.pressure))
        radius = self.params.size / 2 * (pressure if self.params.pressure_size else 1.0)
        flow = self.params.flow / 100 * (pressure if self.params.pressure_flow else 1.0)
        if pressure <= 0 or radius <= 0:
            flow = 0.0
        x, y = math.floor(sample.x - radius), math.floor(sample.y - radius)
        side = math.ceil(2 * radius) + 2
        alpha = _disc(side, sample.x - x, sample.y - y, radius, self.params.hardness / 100)
        return Stamp(np.rint(alpha * (255 * flow)).astype(np.uint8), x, y)


def _disc(side: int, x: float, y: float, radius: float, hardness: float) -> "Pixels":
    """Coverage 0..1 of a disc whose edge falls off from ``hardness`` of its radius on.

    The edge is never sharper than a pixel; a disc below a pixel fades instead.
    """
    across = np.arange(side, dtype=np.float32) + np.float32(0.5)
    distance = np.sqrt((across[None, :] - x) ** 2 + (across[:, None] - y) ** 2)
    soft = max(1.0, radius * (1 - hardness))
    inside = np.clip((radius + 0.5 - distance) / soft, 0, 1)
    faint = min(1.0, 2 * radius)
    return np.asarray(inside * inside * (3 - 2 * inside) * faint if soft > 1 else inside * faint)
