"""Measures ink on the canvas in a process of the editor, because core has no Qt."""

import json
import os
import subprocess
import sys
from typing import Any, ClassVar

from core.bench.registry import benches
from core.engine.display import draw_offscreen_without_display
from core.errors import EditorError

TIMEOUT = 900
"""Seconds that the editor's process may take."""


@benches.register
class CanvasBench:
    """Time from start to first stroke and from ink to repaint, memory of an empty document."""

    id: ClassVar[str] = "canvas"
    label: ClassVar[str] = "Canvas"

    def run(self, quick: bool) -> dict[str, Any]:
        """Measure, and return the figures. Raises EditorError when the process fails."""
        line = [sys.executable, "-m", "editor.dev.bench", "--json", *(["--quick"] if quick else [])]
        environment = dict(os.environ)
        draw_offscreen_without_display(environment)
        process = subprocess.run(
            line, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        if process.returncode:
            errors = process.stderr.strip().splitlines() or ["it said nothing"]
            raise EditorError(f"The canvas could not be measured: {errors[-1]}")
        figures: dict[str, Any] = json.loads(process.stdout)
        return figures
