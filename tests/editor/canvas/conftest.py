"""A shown canvas with a white picture and a layer to paint on."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core import catalog
from core.brushes.round import Round
from core.geometry import Size
from core.paint.document import Document
from core.paint.history import History
from core.paint.layers import Layer
from core.paint.tiles import Tiles
from editor.canvas.canvas import Canvas
from editor.canvas.view_transform import ViewTransform
from editor.studio import Studio
from tests.editor.canvas.canvas_pixels import RED


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    """A shown canvas of 500 x 400 over a white picture of 400 x 300 with ink above, at 100 %."""
    catalog.load("tools", "brushes")
    document = Document(Size(400, 300))
    document.insert("a", Layer("white", tiles=Tiles.of(np.full((300, 400, 4), 255, np.uint8))))
    document.insert("b", Layer("ink"))
    document.history = History()
    studio = Studio(document)
    studio.choose(foreground=RED)
    studio.set_brush_params(Round.Params(size=20, hardness=100))
    made = Canvas(studio)
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    made.set_view(ViewTransform(1.0, 50, 50))
    QApplication.processEvents()
    QApplication.sendEvent(made, QEvent(QEvent.Type.Leave))
    return made
