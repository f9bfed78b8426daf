"""What this machine offers, and what Sfumato would miss on it."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from core.engine.device import thread_count
from core.settings import default_path, folders, load, models_folder

LIBRARIES = (
    "sfumato",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "torch",
    "diffusers",
    "transformers",
    "onnxruntime",
    "PySide6-Essentials",
    "qasync",
)
GIGABYTE = 1 << 30
PATIENCE = 60
"""Seconds that a first look at torch or Qt may take on a slow disk."""

ASK_TORCH = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "device": "cuda" if cuda else "mps" if torch.backends.mps.is_available() else "cpu",
    "accelerators": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    "threads": torch.get_num_threads(),
}))
"""
ASK_QT = """
import json, sys
from PySide6.QtGui import QGuiApplication
from PySide6.QtCore import qVersion
app = QGuiApplication(sys.argv)
print(json.dumps({"version": qVersion(), "platform": app.platformName()}))
"""


def findings(quick: bool = False) -> dict[str, Any]:
    """Versions, machine, folders and models; unless quick also what torch and Qt say."""
    found: dict[str, Any] = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "processor": _processor(),
        "memory": _memory(),
    }
    if not quick:
        found["torch"] = _ask_process(ASK_TORCH, {})
        found["qt"] = _qt()
    found["models"] = _models()
    found["folders"] = _folders()
    note = load().note
    return found | ({"settings": note} if note else {})


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "missing: run 'python3 packaging/start.py' again"


def _processor() -> dict[str, Any]:
    return {
        "name": platform.processor() or platform.machine(),
        "cores": psutil.cpu_count(logical=False) or 1,
        "logical cores": psutil.cpu_count() or 1,
        "worker threads": thread_count(),
        "load": round(psutil.getloadavg()[0], 2),
    }


def _memory() -> dict[str, str]:
    memory = psutil.virtual_memory()
    return {
        "total": f"{memory.total / GIGABYTE:.1f} GB",
        "free": f"{memory.available / GIGABYTE:.1f} GB",
    }


def _qt() -> dict[str, Any]:
    """What Qt says in a process of its own; without a display it is asked offscreen."""
    shown = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    headless = sys.platform.startswith("linux") and not shown
    found = _ask_process(ASK_QT, {"QT_QPA_PLATFORM": "offscreen"} if headless else {})
    if headless:
        found["display"] = "none: the editor can only play its tour offscreen"
    return found


def _ask_process(question: str, environment: dict[str, str]) -> dict[str, Any]:
    """A short program's JSON answer, or the last line of its complaint."""
    import json

    try:
        answer = subprocess.run(
            [sys.executable, "-c", question],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"no answer within {PATIENCE} s"}
    if answer.returncode == 0:
        found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
        return found
    complaint = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
    return {"problem": complaint[-1]}


def _models() -> dict[str, str]:
    from core.models.opening import available_models

    return {model.name: model.note or "ready" for model in available_models()}


def _folders() -> dict[str, str]:
    config, data, log = folders()
    places = {"settings": default_path().parent, "data": data, "log": log}
    places["models"] = models_folder()
    return {name: f"{path} ({_state(path)})" for name, path in places.items()}


def _state(path: Path) -> str:
    """Whether a folder is there, or could be made; and the room on its disk."""
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        return "cannot be written"
    room = f"{shutil.disk_usage(there).free / GIGABYTE:.1f} GB free"
    return room if there == path else f"not made yet, {room}"
