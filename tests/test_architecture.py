"""The rules of the architecture that a machine can hold: imports, sizes, leftovers."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [p for top in ("core", "editor", "plugins") for p in (ROOT / top).rglob("*.py")]
HEAVY = ("torch", "diffusers", "transformers", "onnxruntime")


def python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_import_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(command)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_core_works_where_there_is_no_qt() -> None:
    code = """
import sys
for name in ("PySide6", "shiboken6", "qasync"):
    sys.modules[name] = None
import importlib, pkgutil, core
for found in pkgutil.walk_packages(core.__path__, "core."):
    if "training" not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print("whole")
"""
    assert python(code) == "whole"


def test_the_editor_loads_no_torch() -> None:
    code = f"""
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtWidgets import QApplication
from editor.app import App
from core.settings import Settings
application = QApplication([])
app = App(application, Settings())
app.window.show()
application.processEvents()
print([name for name in {HEAVY!r} if name in sys.modules])
sys.stdout.flush()
os._exit(0)
"""
    assert python(code).splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", [["list", "techniques"], ["list", "models"], ["doctor"]])
def test_headless_verbs_load_neither_qt_nor_torch(verb: list[str]) -> None:
    code = f"""
import sys
from core.headless.cli import main
main({verb!r})
print([name for name in ("PySide6", "qasync", "torch", "diffusers") if name in sys.modules])
"""
    assert python(code).splitlines()[-1] == "[]"


def test_packaging_and_resources_are_not_packages() -> None:
    for folder in ("packaging", "resources"):
        assert not list((ROOT / folder).rglob("__init__.py"))
    assert python("import packaging.version; print(packaging.version.__name__)")


def test_no_room_is_too_large() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in SOURCES}
    assert {name: count for name, count in lengths.items() if count > 500} == {}


def test_nothing_is_left_lying_about() -> None:
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert "breakpoint()" not in text, path
        assert "TODO" not in text.replace("TODO #", ""), path
