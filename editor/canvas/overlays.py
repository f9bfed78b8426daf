"""What is drawn over the picture: region tint, preview, selection, sketch, grid, brush outline."""

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
    QTransform,
)

from core.geometry import Rect
from core.paint.tiles import Pixels, tile_rect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.paint.layers import AiLayer
    from core.paint.selection import Selection
    from editor.canvas.view_transform import ViewTransform

AMBER = (224, 164, 88)
TINT = 0.4
EDGE = 150
GRID_ZOOM = 8
CHECKS = 8


class Overlay(Protocol):
    """Something drawn over the picture, in screen coordinates."""

    def paint(self, painter: QPainter, view: "ViewTransform") -> None: ...


def make_transform(view: "ViewTransform") -> QTransform:
    """The view as Qt's own transform from document to screen."""
    return QTransform().translate(view.x, view.y).rotate(view.angle).scale(view.zoom, view.zoom)


def make_image(rgba: Pixels) -> QImage:
    """An image with a copy of pixels: height x width x 4 uint8, premultiplied RGBA, 0..255."""
    bgra = np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
    height, width = bgra.shape[:2]
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(bgra.data, width, height, width * 4, form).copy()


class RegionTint:
    """The region of one AI layer, tinted; images are cached by tile."""

    def __init__(self) -> None:
        self.layer: AiLayer | None = None
        self._images: dict[int, QImage] = {}
        self._full_image: QImage | None = None

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if self.layer is None:
            self._images = {}
            return
        painter.setTransform(make_transform(view), True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.zoom < 1)
        exposed = painter.clipBoundingRect()
        kept: dict[int, QImage] = {}
        for key, tile in self.layer.region.items():
            place = QRectF(*tile_rect(key).translate(*self.layer.position))
            image = self._images.get(tile.serial)
            if place.intersects(exposed):
                image = image or self._image(tile.pixels)
                painter.drawImage(place.topLeft(), image)
            if image is not None:
                kept[tile.serial] = image
        self._images = kept

    def _image(self, region: Pixels) -> QImage:
        """The tint of a tile; tiles that are painted throughout share one image."""
        if region.min() < 255:
            return _tint_region(region)
        self._full_image = self._full_image or _tint_region(region)
        return self._full_image


def _tint_region(region: Pixels) -> QImage:
    """Amber, seen on dark pictures, with a dark edge, seen on bright ones."""
    alpha = np.ascontiguousarray(region[..., 0])
    inside = (alpha > 127).astype(np.uint8)
    edge = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    planes = [cv2.convertScaleAbs(alpha, alpha=TINT * value / 255) for value in (*AMBER, 255)]
    tinted = cv2.merge(planes)
    cv2.copyTo(np.full_like(tinted, (0, 0, 0, EDGE)), edge, tinted)
    return make_image(np.asarray(tinted, np.uint8))


class SelectionOutline:
    """The edge of the selection as a dashed line in two tones."""

    def __init__(self) -> None:
        self._path = QPainterPath()

    def show(self, selection: "Selection") -> None:
        self._path = _make_outline(selection) if selection else QPainterPath()

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if self._path.isEmpty():
            return
        _draw_dashes(painter, make_transform(view).map(self._path))


class Sketch:
    """A closed outline that a gesture is drawing."""

    def __init__(self) -> None:
        self._path = QPainterPath()

    def show(self, corners: "Sequence[tuple[float, float]]") -> None:
        self._path = QPainterPath()
        if corners:
            self._path.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
            self._path.closeSubpath()

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if not self._path.isEmpty():
            _draw_dashes(painter, make_transform(view).map(self._path))


def _draw_dashes(painter: QPainter, path: QPainterPath) -> None:
    """White dashes on black, which are seen on any picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, style in (
        (QColor(0, 0, 0, 200), Qt.PenStyle.SolidLine),
        (QColor("white"), Qt.PenStyle.DashLine),
    ):
        painter.setPen(QPen(colour, 1, style))
        painter.drawPath(path)


def _make_outline(selection: "Selection") -> QPainterPath:
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
    """Lines between the pixels of a document rectangle, once they are eight screen pixels apart."""

    def __init__(self, rect: Rect) -> None:
        self._rect = rect

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if view.zoom < GRID_ZOOM or not self._rect:
            return
        painter.setPen(QPen(QColor(128, 128, 128, 90), 1))
        rect = self._rect
        for x in range(rect.x, rect.right + 1):
            painter.drawLine(_to_screen(view, x, rect.y), _to_screen(view, x, rect.bottom))
        for y in range(rect.y, rect.bottom + 1):
            painter.drawLine(_to_screen(view, rect.x, y), _to_screen(view, rect.right, y))


class BrushOutline:
    """A circle of the brush's size at the pointer, in two tones so that it is seen anywhere."""

    def __init__(self) -> None:
        self.at: QPointF | None = None
        self.size = 0.0
        self.is_hidden = False

    def rect(self, view: "ViewTransform") -> QRect:
        """The part of the screen it covers; empty when the pointer is elsewhere."""
        if self.at is None:
            return QRect()
        radius = self.size * view.zoom / 2 + 3
        corner = QPointF(self.at.x() - radius, self.at.y() - radius)
        return QRectF(corner, QSizeF(2 * radius, 2 * radius)).toAlignedRect()

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        radius = self.size * view.zoom / 2
        if self.at is None or self.is_hidden or radius < 2:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, wider in ((QColor(0, 0, 0, 160), 0.0), (QColor(255, 255, 255, 200), -1.0)):
            painter.setPen(QPen(colour, 1))
            painter.drawEllipse(self.at, radius + wider, radius + wider)


def checkerboard() -> QPixmap:
    """The pattern that shows where the picture is clear; a large one is quicker to draw."""
    tile = QImage(16 * CHECKS, 16 * CHECKS, QImage.Format.Format_RGB32)
    tile.fill(QColor("#9a9a9a"))
    painter = QPainter(tile)
    for square in range(2 * CHECKS * CHECKS * 2):
        row, column = divmod(square, 2 * CHECKS)
        if (row + column) % 2 == 0:
            painter.fillRect(QRect(column * 8, row * 8, 8, 8), QColor("#b4b4b4"))
    painter.end()
    return QPixmap.fromImage(tile)


def fill_canvas(
    painter: QPainter, view: "ViewTransform", bounds: Rect, exposed: QRect, brush: QBrush
) -> None:
    """Cover the exposed part of the canvas with a pattern that moves along with it."""
    painter.setBrushOrigin(_to_screen(view, 0, 0))
    if not view.angle:
        corners = QRectF(_to_screen(view, 0, 0), _to_screen(view, bounds.right, bounds.bottom))
        painter.fillRect(corners & QRectF(exposed), brush)
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawPolygon(make_transform(view).map(QPolygonF(QRectF(*bounds))))


def _to_screen(view: "ViewTransform", x: float, y: float) -> QPointF:
    return QPointF(*view.to_screen(x, y))
