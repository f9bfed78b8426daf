"""The pixels that a canvas under test holds and shows."""

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from core.geometry import Rect
from core.paint.layers import Layer
from editor.canvas.canvas import Canvas

RED = (200, 30, 60, 255)
Screen = npt.NDArray[np.int_]


def ink_layer(canvas: Canvas) -> Layer:
    layer = canvas.document.active
    assert isinstance(layer, Layer)
    return layer


def alpha_at(canvas: Canvas, x: int, y: int) -> int:
    return int(ink_layer(canvas).tiles.read(Rect(x, y, 1, 1))[0, 0, 3])


def grab_screen(canvas: Canvas) -> Screen:
    """What the widget shows: height x width x 3 int, RGB, 0..255."""
    QApplication.processEvents()
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(int)
