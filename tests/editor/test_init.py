"""Signals and paint calls never end the program, although PySide6 gives up references."""

import subprocess
import sys

import pytest

EMITTING = """
import editor
from PySide6.QtCore import QObject, Signal

class Source(QObject):
    emitted = Signal(float)

source = Source()
source.emitted.connect(lambda value: None)
for number in range(100_000):
    source.emitted.emit(number)
"""

DRAWING = """
import editor
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

image = QImage(8, 8, QImage.Format.Format_ARGB32_Premultiplied)
painter = QPainter(image)
for number in range(100_000):
    painter.drawEllipse(QPointF(4, 4), 2, 2)
painter.end()
"""


@pytest.mark.parametrize("program", [EMITTING, DRAWING], ids=["emitting", "drawing"])
def test_a_hundred_thousand_calls_do_not_end_the_program(program: str) -> None:
    line = [sys.executable, "-c", program + "print('still here')"]
    run = subprocess.run(line, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "still here"
