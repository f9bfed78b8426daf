"""What is drawn over the picture and never belongs to it: region tint, selection, preview, grid."""

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from core.geometry import Rect
from core.pixels import TILE, Pixels, tile_rect

if TYPE_CHECKING:
    from core.document import Document
    from core.layers import AiLayer
    from core.selection import Selection
    from editor.view import ViewTransform

AMBER = (224, 164, 88)
TINT = 0.4


class Overlay(Protocol):
    """Something drawn over the picture, in screen coordinates."""

    def paint(self, painter: QPainter, view: "ViewTransform") -> None: ...


def transform(view: "ViewTransform") -> QTransform:
    """The view as Qt's own transform from document to screen."""
    return QTransform().translate(view.x, view.y).rotate(view.angle).scale(view.zoom, view.zoom)


def picture(rgba: Pixels) -> QImage:
    """RGBA premultiplied bytes as an image of their own."""
    bgra = np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
    height, width = bgra.shape[:2]
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(bgra.data, width, height, width * 4, form).copy()


class RegionTint:
    """The region of one AI layer, tinted; images are kept per tile content."""

    def __init__(self) -> None:
        self.layer: AiLayer | None = None
        self._images: dict[int, QImage] = {}

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if self.layer is None:
            self._images.clear()
            return
        painter.save()
        painter.setTransform(transform(view), True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.zoom < 1)
        kept: dict[int, QImage] = {}
        for key, tile in self.layer.region.items():
            image = self._images.get(tile.serial) or _tinted(tile.pixels)
            kept[tile.serial] = image
            place = tile_rect(key).moved(*self.layer.position)
            painter.drawImage(QPointF(place.x, place.y), image)
        self._images = kept
        painter.restore()


def _tinted(region: Pixels) -> QImage:
    alpha = region[..., 0].astype(np.uint16) * round(TINT * 256) >> 8
    rgba = np.empty((TILE, TILE, 4), np.uint8)
    for channel, value in enumerate((*AMBER, 255)):
        rgba[..., channel] = alpha * value // 255
    return picture(rgba)


class Preview:
    """A picture that is still being made, in its place on the canvas."""

    def __init__(self) -> None:
        self._image: QImage | None = None
        self._rect = Rect(0, 0, 0, 0)

    def show(self, rect: Rect, rgba: Pixels | None) -> None:
        self._rect = rect
        self._image = None if rgba is None else picture(rgba)

    @property
    def rect(self) -> Rect:
        return self._rect if self._image is not None else Rect(0, 0, 0, 0)

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if self._image is None:
            return
        painter.save()
        painter.setTransform(transform(view), True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(*self._rect), self._image)
        painter.restore()


class SelectionOutline:
    """The edge of the selection as a dashed line in two tones."""

    def __init__(self) -> None:
        self._path = QPainterPath()

    def show(self, selection: "Selection", document: "Document") -> None:
        self._path = _outline(selection) if selection else QPainterPath()

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if self._path.isEmpty():
            return
        path = transform(view).map(self._path)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, style in (
            (QColor(0, 0, 0, 200), Qt.PenStyle.SolidLine),
            (QColor("white"), _DASH),
        ):
            painter.setPen(QPen(colour, 1, style))
            painter.drawPath(path)


_DASH = Qt.PenStyle.DashLine


def _outline(selection: "Selection") -> QPainterPath:
    path = QPainterPath()
    bounds = selection.bounds
    if selection.alpha is None:
        path.addRect(QRectF(*bounds))
        return path
    inside = (np.pad(selection.alpha, 1) > 127).astype(np.uint8)
    contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        points = [QPointF(x - 0.5 + bounds.x, y - 0.5 + bounds.y) for x, y in contour[:, 0, :]]
        path.addPolygon(QPolygonF(points))
        path.closeSubpath()
    return path


class PixelGrid:
    """Lines between pixels, once they are eight screen pixels apart."""

    def __init__(self, seen: Rect, canvas: Rect) -> None:
        self._rect = seen & canvas

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if view.zoom < 8 or not self._rect:
            return
        painter.setPen(QPen(QColor(128, 128, 128, 90), 1))
        rect = self._rect
        for x in range(rect.x, rect.right + 1):
            painter.drawLine(
                QPointF(*view.to_screen(x, rect.y)), QPointF(*view.to_screen(x, rect.bottom))
            )
        for y in range(rect.y, rect.bottom + 1):
            painter.drawLine(
                QPointF(*view.to_screen(rect.x, y)), QPointF(*view.to_screen(rect.right, y))
            )
