"""An example plugin: a flat nib, and a menu entry that frames the picture."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from core.plugin_api import BrushSize, Layer, Range, Sample, Stamp, brushes

if TYPE_CHECKING:
    from core.plugin_api import Document
    from editor.api import Api


@brushes.register
class Chisel:
    """A slanted flat nib, broad one way and thin the other."""

    id: ClassVar[str] = "chisel"
    label: ClassVar[str] = "Chisel nib"

    @dataclass(frozen=True)
    class Params:
        size: Annotated[float, BrushSize(4, 400, "Size", "px", step=1)] = 40.0
        angle: Annotated[float, Range(0, 180, "Angle", "°", step=5)] = 45.0
        thin: Annotated[float, Range(5, 100, "Thickness", "%", step=5)] = 20.0

    def __init__(self, params: Any) -> None:
        self.params: Chisel.Params = params

    def spacing(self, pressure: float) -> float:
        return max(0.5, self.params.size * self.params.thin / 400)

    def stamp(self, sample: Sample) -> Stamp:
        """An ellipse of coverage; less pressure makes it smaller."""
        radius = max(0.5, self.params.size / 2 * sample.pressure)
        x, y = math.floor(sample.x - radius) - 1, math.floor(sample.y - radius) - 1
        side = math.ceil(2 * radius) + 3
        across = np.arange(side)[None, :] + 0.5 + (x - sample.x)
        down = np.arange(side)[:, None] + 0.5 + (y - sample.y)
        turn = math.radians(self.params.angle)
        along = across * math.cos(turn) - down * math.sin(turn)
        beside = (across * math.sin(turn) + down * math.cos(turn)) * 100 / self.params.thin
        inside = np.clip(radius + 0.5 - np.hypot(along, beside), 0, 1)
        alpha = inside if sample.pressure > 0 else inside * 0
        return Stamp(np.rint(255 * alpha).astype(np.uint8), x, y)


def add_frame(document: "Document") -> None:
    """A new layer with a white frame around the picture."""
    width = max(1, min(document.size) // 20)
    with document.edit("Frame"):
        layer = Layer("Frame")
        document.insert("Frame", layer)
        bounds = document.bounds
        with document.paint(layer.id, "Frame") as painting:
            for rect in (
                bounds._replace(height=width),
                bounds._replace(width=width),
                bounds._replace(y=bounds.height - width, height=width),
                bounds._replace(x=bounds.width - width, width=width),
            ):
                painting.write(rect, np.full((rect.height, rect.width, 4), 255, np.uint8))


def setup(api: "Api") -> None:
    """Called once with the window's plugin interface."""
    api.add_action("plugin-frame", "Frame the picture", add_frame)
