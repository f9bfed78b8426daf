"""The rules of the architecture that a machine can hold: imports, sizes, names, docstrings.

The numbers are ceilings that only go down, and shares that only go up. What they count is in
tests/structure.py; ``python -m tests.structure`` prints it with what stands in the way.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import structure
from tests.structure import ROOT

SOURCES = list(structure.modules().values())
HEAVY = ("torch", "diffusers", "transformers", "onnxruntime")
MAX_FLOOR = {"core": 12, "editor": 8}
MAX_TYPING_CIRCLE = 4
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MIN_ARRAYS_DESCRIBED = 0.90
MIN_RAISES_DESCRIBED = 0.95


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


# The map


@pytest.mark.parametrize("package", MAX_FLOOR)
def test_few_modules_lie_on_a_floor(package: str) -> None:
    found = structure.floor(package)
    assert len(found) <= MAX_FLOOR[package], found


def test_folders_need_each_other_one_way_only() -> None:
    assert structure.circles(structure.folder_graph()) == []


def test_no_circle_of_files_is_large_even_for_type_checkers() -> None:
    found = structure.circles(structure.file_graph(typing=True))
    assert [group for group in found if len(group) > MAX_TYPING_CIRCLE] == []


def test_files_need_each_other_one_way_only_at_run_time() -> None:
    assert structure.circles(structure.file_graph(typing=False)) == []


def test_only_the_start_of_the_program_imports_the_app() -> None:
    users = {m for m in structure.modules() if "editor.app" in structure.imports(m, typing=True)}
    assert users == {"editor.__main__"}


def test_every_folder_says_what_it_is_for() -> None:
    silent = [name for name in structure.packages() if not structure.module_doc(name)]
    assert silent == []


# Names


def test_a_class_name_means_one_thing() -> None:
    assert structure.doubled_classes() == {}


def test_no_public_function_is_a_bare_participle() -> None:
    assert [str(item) for item in structure.participles()] == []


def test_private_words_do_not_come_back() -> None:
    assert structure.metaphors() == []


# Docstrings


def test_functions_over_arrays_give_shape_dtype_and_range() -> None:
    items = structure.array_functions()
    bare = [str(item) for item in items if structure.missing_facts(item)]
    share = structure.share(len(items) - len(bare), len(items))
    assert share >= MIN_ARRAYS_DESCRIBED, bare


def test_functions_that_raise_say_what() -> None:
    items = structure.raising_functions()
    silent = [str(item) for item in items if structure.silent_about(item)]
    share = structure.share(len(items) - len(silent), len(items))
    assert share >= MIN_RAISES_DESCRIBED, silent


# Sizes and leftovers


def test_no_file_is_too_large() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in SOURCES}
    assert {name: count for name, count in lengths.items() if count > MAX_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = structure.function_lengths()
    assert {name: count for name, count in lengths.items() if count > MAX_FUNCTION_LINES} == {}


def test_nothing_is_left_lying_about() -> None:
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert "breakpoint()" not in text, path
        assert "TODO" not in text.replace("TODO #", ""), path
