"""A window on a screen with a scale factor, in a process of its own as Qt reads it only once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCREEN = {"name": "hd", "x": 0, "y": 0, "width": 1920, "height": 1080, "logicalDpi": 96, "dpr": 1}


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_one_pixel_is_one_pixel_and_the_window_fits(scale: str, tmp_path: Path) -> None:
    config = tmp_path / "screen.json"
    config.write_text(json.dumps({"screens": [SCREEN]}))
    done = subprocess.run(
        [sys.executable, "-m", "tests.editor.high_dpi"],
        env={
            **os.environ,
            "QT_SCALE_FACTOR": scale,
            "QT_QPA_PLATFORM": f"offscreen:configfile={config}",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["ratio"] == float(scale)
    assert found["inside"], "the window with its frame lies on the screen"
    assert found["fitted"] == found["actual"] == "100%", "a small picture is not blown up"
    assert found["exact"], "at 100 % the screen shows the very pixels of the picture"
    assert found["in"] == "150%"
    width, height = found["least"]
    assert width * float(scale) <= 1920
    assert height * float(scale) <= 1040
