"""The tour as a person without a display meets it: in a process of its own, with what ships."""

import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from core.formats.opening import open_document
from core.paint.layers import AiLayer, Layer, walk

ROOT = Path(__file__).resolve().parents[3]


def test_a_whole_session_leaves_picture_window_and_timings(tmp_path: Path) -> None:
    home = {"SFUMATO_HOME": str(tmp_path / "home"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", "editor.dev.tour", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = open_document(tmp_path / "out" / "tour.ora")
    layers = [node for node in walk(document.root) if isinstance(node, Layer)]
    brushed = [layer for layer in layers if isinstance(layer, AiLayer)]
    assert [layer.name for layer in brushed] == ["a mushroom"]
    assert brushed[0].recipe.model_hash
    assert len(layers) == 3
    with Image.open(tmp_path / "out" / "tour.png") as shot:
        assert shot.width >= 1200
        assert len(shot.convert("RGB").getcolors(1 << 24) or []) > 1000
    seconds = json.loads((tmp_path / "out" / "tour.json").read_text())["seconds"]
    assert {"ink stroke", "load the model", "save"} <= set(seconds)
    assert str(tmp_path / "out" / "tour.ora") in done.stdout
