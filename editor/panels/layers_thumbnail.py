"""Small pictures of what layers hold."""

import cv2
import numpy as np
from PySide6.QtGui import QColor, QPainter, QPixmap

from core.geometry import Rect, Size
from core.paint.layers import Layer, Node, planes
from core.paint.tiles import TILE, Pixels, tile_rect
from editor.canvas.overlays import make_image

THUMBNAIL_SIDE = 32
"""Logical pixels a side."""


def make_thumbnail(node: Node, canvas: Size) -> QPixmap:
    """A small picture of what one layer holds, on grey; a group is empty grey."""
    scale = max(canvas) / THUMBNAIL_SIDE
    width, height = (max(1, round(side / scale)) for side in canvas)
    small = np.zeros((height, width, 4), np.uint8)
    if isinstance(node, Layer):
        _draw_samples(small, node, scale)
    pixmap = QPixmap(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    pixmap.fill(QColor("#8a8a8a"))
    painter = QPainter(pixmap)
    painter.drawImage(
        (THUMBNAIL_SIDE - width) // 2, (THUMBNAIL_SIDE - height) // 2, make_image(small)
    )
    painter.end()
    return pixmap


def make_plane_thumbnail(node: Node, plane: str, canvas: Size) -> QPixmap:
    """A small grey picture of a mask or region over the whole canvas."""
    tiles, scale = planes(node)[plane], max(canvas) / THUMBNAIL_SIDE
    width, height = (max(1, round(side / scale)) for side in canvas)
    small = np.full((height, width), tiles.fill, np.uint8)
    x, y = node.position if isinstance(node, Layer) else (0, 0)
    for key, tile in tiles.items():
        place = tile_rect(key).translate(x, y)
        side = max(1, round(TILE / scale))
        shrunk = cv2.resize(tile.pixels, (side, side), interpolation=cv2.INTER_AREA)
        left, top = int(place.x // scale), int(place.y // scale)
        spot = Rect(left, top, side, side) & Rect(0, 0, width, height)
        if spot:
            small[spot.slices] = shrunk[spot.translate(-left, -top).slices]
    pixmap = QPixmap(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    pixmap.fill(QColor("#8a8a8a"))
    painter = QPainter(pixmap)
    image = make_image(np.dstack([small, small, small, np.full_like(small, 255)]))
    painter.drawImage((THUMBNAIL_SIDE - width) // 2, (THUMBNAIL_SIDE - height) // 2, image)
    painter.end()
    return pixmap


def _draw_samples(small: Pixels, layer: Layer, scale: float) -> None:
    """Draw every n-th pixel of each tile: quick, and good enough at 32 pixels a side."""
    step = max(1, int(scale / 2))
    for key, tile in layer.tiles.items():
        place = tile_rect(key).translate(*layer.position)
        left, top = int(place.x / scale), int(place.y / scale)
        side = max(1, round(TILE / scale))
        sampled = np.ascontiguousarray(tile.pixels[::step, ::step])
        shrunk = cv2.resize(sampled, (side, side), interpolation=cv2.INTER_AREA)
        spot = Rect(left, top, side, side) & Rect(0, 0, small.shape[1], small.shape[0])
        if spot:
            small[spot.slices] = shrunk[spot.translate(-left, -top).slices]
