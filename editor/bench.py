"""Measures the editor: start to first stroke, ink to repainted, memory of an empty picture.

    python -m editor.bench [--json] [--quick]

Each figure comes from a process of its own, driven by real events.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

STARTS, STROKES = 5, 120
BARS = {"start_s": 2.0, "ink_128_ms": 8.0, "ink_512_ms": 16.0, "memory_mb": 250.0}
BIG, LAYERS = 4096, 16


def run(quick: bool = False) -> dict[str, Any]:
    """Medians and p95 by figure, and the bars they are held against."""
    starts = [_child("start") for _ in range(2 if quick else STARTS)]
    strokes = STROKES // 6 if quick else STROKES
    return {
        "start_s": _figure([start["seconds"] for start in starts]),
        "torch_loaded": any(start["torch"] for start in starts),
        "ink_128_ms": _figure(_child("ink", 128, strokes)["milliseconds"]),
        "ink_512_ms": _figure(_child("ink", 512, strokes)["milliseconds"]),
        "memory_mb": _figure([_child("memory")["megabytes"]]),
        "document": f"{BIG} x {BIG} with {LAYERS} layers",
        "bars": BARS,
    }


def _figure(samples: list[float]) -> dict[str, float]:
    from core.bench.timing import figure

    return figure(samples)


def _child(what: str, *numbers: int) -> dict[str, Any]:
    line = [sys.executable, "-m", "editor.bench", f"--only={what}", *map(str, numbers)]
    said = subprocess.run(line, capture_output=True, text=True, check=True, env=_alone())
    measured: dict[str, Any] = json.loads(said.stdout.strip().splitlines()[-1])
    return measured


def _alone() -> dict[str, str]:
    """The environment with settings of its own, so that nobody's recent files are read."""
    import tempfile

    return {**os.environ, "SFUMATO_HOME": tempfile.mkdtemp(prefix="sfumato-bench-")}


# What a child measures


def _start() -> dict[str, Any]:
    """From nothing imported to the first stroke on the screen."""
    began = time.perf_counter()
    from PySide6.QtWidgets import QApplication

    from core.geometry import Size
    from core.settings import Settings
    from editor.app import App
    from editor.verbs import new_document

    application = QApplication([])
    app = App(application, Settings())
    app.window.show()
    app.show_document(new_document(Size(2048, 2048), (255, 255, 255, 255)))
    application.processEvents()
    _stroke(application, app.canvas, 12)
    return {"seconds": time.perf_counter() - began, "torch": "torch" in sys.modules}


def _stroke(application: Any, canvas: Any, moves: int) -> list[float]:
    """One stroke to and fro; milliseconds from each event to the repainted canvas."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    left, took = Qt.MouseButton.LeftButton, []
    QTest.mousePress(canvas, left, pos=QPoint(200, 300))
    application.processEvents()
    for step in range(moves):
        at = QPoint(200 + step * 53 % 400, 200 + step * 31 % 300)
        began = time.perf_counter()
        QTest.mouseMove(canvas, at)
        canvas.repaint()
        took.append((time.perf_counter() - began) * 1000)
    QTest.mouseRelease(canvas, left, pos=QPoint(300, 300))
    application.processEvents()
    return took


def _ink(dab: int, moves: int) -> dict[str, Any]:
    """Events that put down one dab each, on a large picture with many layers."""
    import numpy as np
    from PySide6.QtWidgets import QApplication

    from core import catalog
    from core.brushes.round import Round
    from core.document import Document
    from core.geometry import Size
    from core.layers import Layer
    from core.pixels import Tiles
    from editor.canvas import Canvas
    from editor.studio import Studio

    catalog.load("brushes", "tools")
    application = QApplication([])
    document = Document(Size(BIG, BIG))
    for number in range(LAYERS):
        pixels = np.full((BIG, BIG, 4), 24, np.uint8)
        pixels[..., number % 3] = 12
        document.insert("Layer", Layer(f"{number}", tiles=Tiles.of(pixels)))
    document.activate(document.root.children[LAYERS // 2].id)
    studio = Studio(document)
    # Spacing as far apart as events are keeps it to about one dab an event.
    studio.set_brush_params(Round.Params(size=float(dab), spacing=min(100.0, 6400 / dab)))
    canvas = Canvas(studio)
    canvas.resize(1280, 800)
    canvas.show()
    application.processEvents()
    canvas.actual_size()
    application.processEvents()
    return {"milliseconds": _stroke(application, canvas, moves)}


def _memory() -> dict[str, Any]:
    """Resident memory of the window's process with an empty 2048 x 2048 picture open."""
    import psutil

    _start()
    return {"megabytes": psutil.Process().memory_info().rss / 1e6}


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "start": _start,
    "ink": _ink,
    "memory": _memory,
}


def main(arguments: list[str]) -> int:
    only = [word.removeprefix("--only=") for word in arguments if word.startswith("--only=")]
    if only:
        numbers = [int(word) for word in arguments if word.isdigit()]
        sys.stdout.write(json.dumps(MEASURES[only[0]](*numbers)) + "\n")
        sys.stdout.flush()
        # Qt's own end takes time that nobody measures.
        os._exit(0)
    figures = run("--quick" in arguments)
    indent = None if "--json" in arguments else 1
    sys.stdout.write(json.dumps(figures, indent=indent) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
