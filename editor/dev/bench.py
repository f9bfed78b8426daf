"""Measures the canvas: first stroke, ink until it is painted, memory, and what blocks the window.

``python -m editor.dev.bench --json`` prints the figures; milliseconds unless a name says otherwise.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from core.engine.display import draw_offscreen_without_display
from core.errors import EditorError

CANVAS_SIDE = 2048
WINDOW_SIZE = 1280, 800
TIMEOUT_SECONDS = 120
BARS = {"start_s": 2.0, "ink_128_p95": 8.0, "ink_512_p95": 16.0, "memory_mb": 250.0}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser("editor.dev.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--first-stroke", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        # The measured windows save their settings, which are not the person's.
        os.environ["SFUMATO_HOME"] = home
        figures = measure_first_stroke() if chosen.first_stroke else measure(chosen.quick)
    as_json = chosen.json or chosen.first_stroke
    lines = [f"{name}: {value}" for name, value in figures.items()]
    sys.stdout.write((json.dumps(figures) if as_json else "\n".join(lines)) + "\n")
    return 0


def measure(quick: bool) -> dict[str, Any]:
    """All figures by name, with the bars they should stay under."""
    from core.bench.timing import figure, milliseconds
    from editor.dev.bench_ink import DABS, LAYERS, SIDE, InkBench

    starts = [measure_start() for _ in range(2 if quick else 5)]
    ink = InkBench(WINDOW_SIZE, 4 if quick else 12)
    figures = {
        "start_s": figure([start["seconds"] for start in starts]),
        "torch_in_editor": any(start["torch"] for start in starts),
        "memory_mb": figure([start["memory_mb"] for start in starts]),
        "ink": {
            f"{dab}px_{where}": milliseconds(ink.time_strokes(dab, where))
            for dab in DABS
            for where in ("at_100_percent", "zoomed_out")
        },
        "ink_document": f"{SIDE} x {SIDE}, {LAYERS} full layers, one dab an event",
        "blocked": {name: round(took * 1000, 1) for name, took in ink.measure_blocking().items()},
        "bars": BARS,
    }
    ink.close()
    return figures


# Start and memory, each in a process of its own


def measure_start() -> dict[str, Any]:
    """The figures of the first stroke in a fresh process. Raises EditorError when it fails."""
    line = [sys.executable, "-m", "editor.dev.bench", "--first-stroke"]
    completed = subprocess.run(
        line, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if completed.returncode:
        raise EditorError(f"The editor could not be measured: {completed.stderr.strip()[-500:]}")
    figures: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    return figures


def measure_first_stroke() -> dict[str, Any]:
    """Seconds from importing editor.app to a stroke on the screen, and the memory then."""
    start = time.perf_counter()
    from PySide6.QtWidgets import QApplication

    from core import settings
    from core.geometry import Size
    from editor.__main__ import open_window
    from editor.commands import document_edits
    from editor.dev.bench_ink import SyntheticPen

    application = QApplication([])
    app = open_window(application, settings.Settings())
    app.session.studio.open(
        document_edits.new_document(Size(CANVAS_SIDE, CANVAS_SIDE), (255, 255, 255, 255))
    )
    app.window.resize(*WINDOW_SIZE)
    app.window.show()
    application.processEvents()
    SyntheticPen(app.session.canvas).stroke([(300.0 + 8 * step, 300.0) for step in range(20)])
    seconds = time.perf_counter() - start
    import psutil

    memory = psutil.Process().memory_info().rss / (1 << 20)
    facts = {"seconds": seconds, "memory_mb": memory, "torch": "torch" in sys.modules}
    app.close()
    return facts


if __name__ == "__main__":
    draw_offscreen_without_display(os.environ)
    sys.exit(main())
