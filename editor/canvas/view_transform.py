"""Where the canvas lies in the window: zoom, rotation and pan as plain arithmetic."""

import math
from dataclasses import dataclass, replace

from core.geometry import Rect, Size

MIN_ZOOM, MAX_ZOOM = 1 / 64, 64.0
STOPS = (
    1 / 64,
    1 / 32,
    1 / 16,
    1 / 8,
    1 / 4,
    1 / 3,
    1 / 2,
    2 / 3,
    1,
    1.5,
    2,
    3,
    4,
    6,
    8,
    16,
    32,
    64,
)
MARGIN = 24


@dataclass(frozen=True)
class ViewTransform:
    """screen = turn(zoom * document) + (x, y); zoom in logical pixels, angle in degrees."""

    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        cos, sin = self._rotation
        x, y = x * self.zoom, y * self.zoom
        return cos * x - sin * y + self.x, sin * x + cos * y + self.y

    def to_document(self, x: float, y: float) -> tuple[float, float]:
        cos, sin = self._rotation
        x, y = (x - self.x) / self.zoom, (y - self.y) / self.zoom
        return cos * x + sin * y, cos * y - sin * x

    @property
    def _rotation(self) -> tuple[float, float]:
        radians = math.radians(self.angle)
        return math.cos(radians), math.sin(radians)

    def pan(self, dx: float, dy: float) -> "ViewTransform":
        """Moved by screen pixels."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoom_at(self, zoom: float, x: float, y: float) -> "ViewTransform":
        """At another zoom, the same document point staying at screen (x, y)."""
        held = self.to_document(x, y)
        return replace(self, zoom=min(MAX_ZOOM, max(MIN_ZOOM, zoom)))._hold_point(held, x, y)

    def rotate_at(self, angle: float, x: float, y: float) -> "ViewTransform":
        """At another angle, the same document point staying at screen (x, y)."""
        held = self.to_document(x, y)
        return replace(self, angle=(angle + 180) % 360 - 180)._hold_point(held, x, y)

    def _hold_point(self, held: tuple[float, float], x: float, y: float) -> "ViewTransform":
        now = self.to_screen(*held)
        return self.pan(x - now[0], y - now[1])

    def align(self, ratio: float) -> "ViewTransform":
        """With the document's corner on a whole pixel of a screen with so many to a logical one."""
        return replace(self, x=round(self.x * ratio) / ratio, y=round(self.y * ratio) / ratio)

    def bounds_on_screen(self, rect: Rect) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of a document rectangle's bounding box on the screen."""
        corners = [
            self.to_screen(x, y) for x in (rect.x, rect.right) for y in (rect.y, rect.bottom)
        ]
        across, down = [c[0] for c in corners], [c[1] for c in corners]
        return min(across), min(down), max(across), max(down)

    def visible_rect(self, width: float, height: float) -> Rect:
        """The document rectangle that covers a window of this size."""
        corners = [self.to_document(x, y) for x in (0.0, width) for y in (0.0, height)]
        across, down = [c[0] for c in corners], [c[1] for c in corners]
        return Rect.from_edges(
            math.floor(min(across)),
            math.floor(min(down)),
            math.ceil(max(across)),
            math.ceil(max(down)),
        )


def next_stop(zoom: float, steps: int) -> float:
    """The zoom so many stops in (or out, when negative) from another one."""
    above = [stop for stop in STOPS if stop > zoom * 1.001]
    below = [stop for stop in STOPS if stop < zoom * 0.999]
    row = above if steps > 0 else below[::-1]
    return row[min(abs(steps), len(row)) - 1] if row else zoom


def fit_view(canvas: Size, width: float, height: float, max_zoom: float = 1.0) -> ViewTransform:
    """The whole canvas upright in the middle of a window, not larger than ``max_zoom``."""
    room = max(1.0, width - 2 * MARGIN), max(1.0, height - 2 * MARGIN)
    zoom = min(room[0] / canvas.width, room[1] / canvas.height, max_zoom)
    return centre_view(canvas, width, height, min(MAX_ZOOM, max(MIN_ZOOM, zoom)))


def centre_view(canvas: Size, width: float, height: float, zoom: float) -> ViewTransform:
    x, y = (width - canvas.width * zoom) / 2, (height - canvas.height * zoom) / 2
    return ViewTransform(zoom, x, y)
