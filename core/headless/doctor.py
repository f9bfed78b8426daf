"""Collects what this machine offers and what Sfumato lacks on it, for ``sfumato doctor``."""

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
from core.engine.display import has_display
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
SCRIPT_TIMEOUT = 60
"""Seconds that the first import of torch or Qt may take on a slow disk."""

TORCH_SCRIPT = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "device": "cuda" if cuda else "mps" if torch.backends.mps.is_available() else "cpu",
    "accelerators": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    "threads": torch.get_num_threads(),
}))
"""
QT_SCRIPT = """
import json, sys
from PySide6.QtGui import QGuiApplication
from PySide6.QtCore import qVersion
app = QGuiApplication(sys.argv)
print(json.dumps({"version": qVersion(), "platform": app.platformName()}))
"""


def inspect_machine(quick: bool = False) -> dict[str, Any]:
    """Collect versions, machine, folders and models; unless quick also facts of torch and Qt."""
    found: dict[str, Any] = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "processor": _processor(),
        "memory": _memory(),
    }
    if not quick:
        found["torch"] = _run_script(TORCH_SCRIPT, {})
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
    """Facts of Qt, from a process of its own; offscreen when there is no display."""
    headless = not has_display()
    found = _run_script(QT_SCRIPT, {"QT_QPA_PLATFORM": "offscreen"} if headless else {})
    if headless:
        found["display"] = "none: the editor can only play its tour offscreen"
    return found


def _run_script(script: str, environment: dict[str, str]) -> dict[str, Any]:
    """The JSON that a short program prints, or the last line of its error."""
    import json

    try:
        process = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=SCRIPT_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"no answer within {SCRIPT_TIMEOUT} s"}
    if process.returncode == 0:
        found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
        return found
    errors = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
    return {"problem": errors[-1]}


def _models() -> dict[str, str]:
    from core.models.opening import available_models

    return {model.name: model.note or "ready" for model in available_models()}


def _folders() -> dict[str, str]:
    config, data, log = folders()
    found = {"settings": default_path().parent, "data": data, "log": log}
    found["models"] = models_folder()
    return {name: f"{path} ({_state(path)})" for name, path in found.items()}


def _state(path: Path) -> str:
    """Whether a folder exists or could be made, and the free space on its disk."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return "cannot be written"
    space = f"{shutil.disk_usage(existing).free / GIGABYTE:.1f} GB free"
    return space if existing == path else f"not made yet, {space}"
