"""From arrays of pixels to pixmaps of Qt."""

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage, QPixmap

if TYPE_CHECKING:
    from core.paint.tiles import Pixels


def rgb_pixmap(rgb: "Pixels") -> QPixmap:
    """RGB pixels, height x width x 3 uint8, 0..255, as a pixmap of the same size."""
    height, width = rgb.shape[:2]
    image = QImage(rgb.tobytes(), width, height, width * 3, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
