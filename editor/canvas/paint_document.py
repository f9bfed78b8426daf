"""Paints the document on the canvas: its place, its smoothing, and how much in one frame."""

import math
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from editor.canvas.overlays import make_transform
from editor.canvas.tile_pyramid import PyramidTile, TilePyramid, level_for

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from core.geometry import Rect
    from core.paint.document import Document
    from editor.canvas.view_transform import ViewTransform

FRAME_SECONDS = 0.012
"""Seconds that one paint may spend on drawing what has changed."""


class DocumentPainter:
    """Paints a document; ``mark_dirty`` notes where the document has changed."""

    def __init__(self, document: "Document") -> None:
        self._document = document
        self.pyramid = TilePyramid(document)

    def mark_dirty(self, rect: "Rect") -> None:
        self.pyramid.mark_dirty(rect)

    def paint(self, painter: QPainter, view: "ViewTransform", exposed: QRect) -> "list[Rect]":
        """Paint the exposed part of the screen.

        Returns the document rectangles that have to be painted again later.
        """
        painter.save()
        painter.setTransform(make_transform(view), True)
        painter.setClipRect(QRectF(*self._document.bounds), Qt.ClipOperation.IntersectClip)
        scale = view.zoom * painter.device().devicePixelRatio()
        is_smooth = _is_smooth(scale, view.angle)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
        deadline, late = time.perf_counter() + FRAME_SECONDS, []
        visible = visible_rect(exposed, view) & self._document.bounds
        for tile in self.pyramid.tiles_over(visible, level_for(scale)):
            image = self._image(tile, deadline)
            if image is not None:
                painter.drawImage(QRectF(*tile.rect), image)
            if not self.pyramid.is_fresh(tile):
                late.append(tile.rect)
        painter.restore()
        return late

    def _image(self, tile: PyramidTile, deadline: float) -> "QImage | None":
        """The picture of a tile; an old one when the time is up."""
        if self.pyramid.is_fresh(tile) or time.perf_counter() < deadline:
            return self.pyramid.image(tile, deadline)
        return self.pyramid.old_image(tile)


def visible_rect(exposed: QRect, view: "ViewTransform") -> "Rect":
    """The document rectangle that covers a part of the screen."""
    moved = view.pan(-exposed.x(), -exposed.y())
    return moved.visible_rect(exposed.width(), exposed.height()).pad(1)


def _is_smooth(scale: float, angle: float) -> bool:
    """Whether to smooth: not from twice the size on, nor upright at 100 %."""
    return scale < 2 and (not math.isclose(scale, 1) or bool(angle))
