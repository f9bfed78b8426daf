"""Ink on the canvas: measured by the editor in a process of its own, because core has no Qt."""

import json
import os
import subprocess
import sys
from typing import Any, ClassVar

from core.bench.registry import benches
from core.errors import EditorError

PATIENCE = 900


@benches.register
class CanvasBench:
    """Start to first stroke, ink to repainted, memory of an empty document."""

    id: ClassVar[str] = "canvas"
    label: ClassVar[str] = "Canvas"

    def run(self, quick: bool) -> dict[str, Any]:
        line = [sys.executable, "-m", "editor.dev.bench", "--json", *(["--quick"] if quick else [])]
        environment = dict(os.environ)
        if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
            environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        said = subprocess.run(
            line, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if said.returncode:
            complaint = said.stderr.strip().splitlines() or ["it said nothing"]
            raise EditorError(f"The canvas could not be measured: {complaint[-1]}")
        figures: dict[str, Any] = json.loads(said.stdout)
        return figures
