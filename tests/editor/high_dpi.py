"""Played in a process with a scale factor: writes what a window is like there, as JSON."""

import json
import sys

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from core import catalog
from core.geometry import Size
from core.paint.document import Document
from core.paint.layers import Layer
from core.paint.tiles import Pixels, Tiles
from core.settings import Settings
from editor.app import App
from editor.canvas.canvas import Canvas

SIDE = 300


def noise() -> Pixels:
    """Opaque pixels of which no two neighbours are alike: side x side x 4 uint8, 0..255."""
    pixels = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 4)).astype(np.uint8)
    pixels[..., 3] = 255
    return pixels


def grab(canvas: Canvas) -> Pixels:
    """The pixels of the screen: height x width x 3 uint8, 0..255."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def main() -> None:
    catalog.load()
    application = QApplication(sys.argv)
    app = App(application, Settings(model="toy"))
    app.window.show()
    canvas, pixels = app.session.canvas, noise()
    document = Document(Size(SIDE, SIDE))
    document.insert("Open", Layer("noise", tiles=Tiles.of(pixels)))
    app.session.studio.open(document)
    for _ in range(8):
        application.processEvents()
    screen = app.window.screen()
    found = {
        "ratio": canvas.devicePixelRatioF(),
        "inside": screen.availableGeometry().contains(app.window.frameGeometry()),
        "least": app.window.minimumSizeHint().toTuple(),
        "fitted": app.window.status.text("zoom"),
    }
    app.session.actions.run("actual")
    found["actual"] = app.window.status.text("zoom")
    corner = [round(side * canvas.devicePixelRatioF()) for side in canvas.view.to_screen(0, 0)]
    shown = grab(canvas)[corner[1] : corner[1] + SIDE, corner[0] : corner[0] + SIDE]
    found["exact"] = bool(np.array_equal(shown, pixels[: shown.shape[0], : shown.shape[1], :3]))
    app.session.actions.run("zoom-in")
    found["in"] = app.window.status.text("zoom")
    sys.stdout.write(json.dumps(found))


main()
