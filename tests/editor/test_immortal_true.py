"""Signals may be emitted for ever, although PySide6 gives up a reference to True each time."""

import subprocess
import sys

EMITTING = """
import editor
from PySide6.QtCore import QObject, Signal

class Source(QObject):
    spoke = Signal(float)

source = Source()
source.spoke.connect(lambda value: None)
for number in range(100_000):
    source.spoke.emit(number)
print("still here")
"""


def test_a_hundred_thousand_signals_do_not_end_the_program() -> None:
    run = subprocess.run([sys.executable, "-c", EMITTING], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "still here"
