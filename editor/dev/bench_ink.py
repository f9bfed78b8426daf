"""Measures ink on a heavy document, by real mouse events: how long until it is on the screen."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractEventDispatcher, QEvent, QEventLoop, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from core.brushes.round import Round
from core.geometry import Size
from core.paint.document import Document
from core.paint.layers import Group, Layer
from core.paint.tiles import TILE, Tiles
from core.settings import Settings
from editor.__main__ import open_window
from editor.commands.edit import undo

LAYERS, SIDE = 16, 4096
DABS = (128, 512)
PRESS, MOVE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove
RELEASE = QEvent.Type.MouseButtonRelease
EVERYTHING = QEventLoop.ProcessEventsFlag.AllEvents


class SyntheticPen:
    """Sends real mouse events to a widget and lets it paint after each."""

    def __init__(self, canvas: QWidget) -> None:
        self._canvas = canvas

    def stroke(self, places: list[tuple[float, float]]) -> list[float]:
        """Seconds that each movement took, from the event to its paint on the screen."""
        self._send(PRESS, places[0])
        times = [self._send(MOVE, place) for place in places[1:]]
        self._send(RELEASE, places[-1])
        return times

    def _send(self, kind: QEvent.Type, place: tuple[float, float]) -> float:
        at, left = QPointF(*place), Qt.MouseButton.LeftButton
        button = Qt.MouseButton.NoButton if kind is MOVE else left
        event = QMouseEvent(kind, at, at, button, left, Qt.KeyboardModifier.NoModifier)
        start = time.perf_counter()
        QApplication.sendEvent(self._canvas, event)
        QApplication.processEvents()
        return time.perf_counter() - start


class InkBench:
    """The whole window over a large document of full, translucent layers, and a pen."""

    def __init__(self, window: tuple[int, int], strokes: int) -> None:
        application = QApplication.instance() or QApplication([])
        assert isinstance(application, QApplication)
        self.app = open_window(application, Settings())
        self._application = application
        self._count = strokes
        self._random = np.random.default_rng(0)
        self._canvas = self.app.session.canvas
        self.app.window.resize(*window)
        self.app.window.show()
        self._longest_frame(0.0)
        document = make_heavy_document()
        self._opening = self._time(lambda: self.app.session.studio.open(document))

    def close(self) -> None:
        self.app.window.hide()
        self.app.close()

    def time_strokes(self, dab: int, where: str) -> list[float]:
        """Seconds per event of strokes with a brush of this diameter."""
        canvas = self._canvas
        studio = self.app.session.studio
        studio.choose(tool="brush", brush="round")
        studio.set_brush_params(Round.Params(size=float(dab)))
        canvas.fit()
        if where == "at_100_percent":
            canvas.zoom_to_actual_size()
        self._application.processEvents()
        step = dab * 0.1 * canvas.view.zoom
        pen, times = SyntheticPen(canvas), []
        for _ in range(self._count):
            x = self._random.uniform(0.2, 0.3) * canvas.width()
            y = self._random.uniform(0.2, 0.8) * canvas.height()
            events = int(min(40, (0.8 * canvas.width() - x) / step))
            times += pen.stroke([(x + step * n, y) for n in range(events)])
        return times

    def measure_blocking(self) -> dict[str, float]:
        """How long single commands keep the window from answering, in seconds."""
        document, canvas = self.app.session.studio.document, self._canvas
        canvas.fit()
        self._application.processEvents()
        other = document.root.children[2]
        actions: dict[str, Callable[[], Any]] = {
            "undo": lambda: undo(self.app.session),
            "zoom_in": lambda: canvas.zoom_to(1.0),
            "fit": canvas.fit,
            "rotate": lambda: canvas.turn_by(30),
            "upright": canvas.turn_upright,
            "activate_layer": lambda: document.activate(other.id),
            "hide_layer": lambda: document.replace("Hide", replace(other, visible=False)),
        }
        return {"open": self._opening} | {name: self._time(do) for name, do in actions.items()}

    def _time(self, do: Callable[[], Any]) -> float:
        start = time.perf_counter()
        do()
        return self._longest_frame(start)

    def _longest_frame(self, start: float) -> float:
        """The longest time between two turns of the event loop until the picture is whole."""
        longest, had_work = 0.0, True
        while had_work:
            had_work = QAbstractEventDispatcher.instance().processEvents(EVERYTHING)
            now = time.perf_counter()
            longest, start = max(longest, now - start), now
        return longest


def make_heavy_document() -> Document:
    """LAYERS layers that cover everything; tiles repeat, so that it fits into memory."""
    random = np.random.default_rng(0)
    nodes = tuple(Layer(f"Layer {n}", tiles=_make_plane(random, n == 0)) for n in range(LAYERS))
    document = Document(Size(SIDE, SIDE), Group("Root", children=nodes))
    document.activate(nodes[LAYERS // 2].id)
    return document


def _make_plane(random: np.random.Generator, is_opaque: bool) -> Tiles:
    alpha = np.uint8(255) if is_opaque else random.integers(0, 160, (4, TILE, TILE, 1), np.uint8)
    shape = (4, TILE, TILE, 3)
    colour = random.integers(0, 256, shape) * alpha // 255
    alphas = np.broadcast_to(alpha, (4, TILE, TILE, 1))
    tiles = np.concatenate([colour, alphas], axis=-1).astype(np.uint8)
    across = range(SIDE // TILE)
    return Tiles.from_tiles({(x, y): tiles[(7 * x + 3 * y) % 4] for x in across for y in across}, 4)
