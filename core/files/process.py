"""Whether the process that wrote a file still runs: its number, and when it started.

Numbers of processes are used again; with the start time they name one process.
"""

import os
from collections.abc import Mapping
from typing import Any

TOLERANCE = 1.0
"""Seconds by which two readings of one start time may differ."""


def describe_process() -> dict[str, Any]:
    """This process, as ``is_running`` wants it: its number and start time."""
    import psutil

    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def is_running(process: Mapping[str, Any]) -> bool:
    """Whether a described process runs; False for what describes none."""
    import psutil

    try:
        started = psutil.Process(int(process["pid"])).create_time()
        return abs(started - float(process["started"])) < TOLERANCE
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
