"""The visible state of painting a mask: a sentence on the canvas, and on demand what is hidden."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter

from core.geometry import Rect
from core.paint.layers import Layer, planes
from editor.canvas.overlays import make_image, make_transform

if TYPE_CHECKING:
    from core.paint.layers import Node
    from core.paint.tiles import Pixels
    from editor.canvas.canvas import Canvas
    from editor.canvas.view_transform import ViewTransform

TINT = 0.5
RED = (217, 99, 91)
MEANINGS = {
    "mask": "white shows, black hides",
    "region": "white is edited, black is not",
}
MARGIN = 8


class MaskOverlay:
    """Drawn over the canvas while the mask or region of the active layer is painted.

    ``is_shown``: what the chosen or only mask of the active layer hides is tinted red.
    """

    def __init__(self, canvas: "Canvas") -> None:
        self._canvas = canvas
        self.is_shown = False
        canvas.overlays.append(self)

    def toggle(self) -> None:
        """Show what the mask hides, or stop showing it."""
        self.is_shown = not self.is_shown
        self._canvas.update()

    @property
    def sentence(self) -> str:
        """What is painted on now, when it is not the pixels; else empty."""
        document = self._canvas.document
        node, plane = document.active, document.active_plane
        if node is None or plane not in MEANINGS:
            return ""
        return f"{plane.capitalize()} of {node.name}: {MEANINGS[plane]}"

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        node = self._canvas.document.active
        if self.is_shown and node is not None:
            plane = self._canvas.document.active_plane
            self._tint(painter, view, node, plane if plane in MEANINGS else "mask")
        if self.sentence:
            self._draw_sentence(painter)

    def _tint(self, painter: QPainter, view: "ViewTransform", node: "Node", plane: str) -> None:
        tiles = planes(node).get(plane)
        if tiles is None:
            return
        painter.save()
        painter.setTransform(make_transform(view), True)
        bounds = self._canvas.document.bounds
        exposed = painter.clipBoundingRect().toAlignedRect()
        visible = Rect.from_edges(
            exposed.left() - 1, exposed.top() - 1, exposed.right() + 2, exposed.bottom() + 2
        )
        part = visible & bounds
        offset = node.position if isinstance(node, Layer) else (0, 0)
        if part:
            values = tiles.read(part.translate(-offset[0], -offset[1]))[..., 0]
            painter.drawImage(QPointF(part.x, part.y), make_image(_tint_hidden(values)))
        painter.restore()

    def _draw_sentence(self, painter: QPainter) -> None:
        """Amber on dark at the top left, so that it is read over any picture."""
        metrics = painter.fontMetrics()
        text = metrics.elidedText(
            self.sentence, Qt.TextElideMode.ElideMiddle, self._canvas.width() - 6 * MARGIN
        )
        size = metrics.boundingRect(text).size()
        box = QRect(QPoint(MARGIN, MARGIN), size).adjusted(0, 0, 3 * MARGIN, MARGIN)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(30, 30, 30, 220))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor("#e0a458"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _tint_hidden(values: "Pixels") -> "Pixels":
    """Red where a mask hides. values: height x width uint8, 0..255.

    Returns height x width x 4 uint8, premultiplied RGBA, 0..255.
    """
    hidden = (255 - values).astype(np.float32) * (TINT / 255)
    planes_ = [np.rint(hidden * value).astype(np.uint8) for value in (*RED, 255)]
    return np.dstack(planes_)
