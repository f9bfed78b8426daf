"""The canvas is measured in a process of its own; its errors are passed on."""

import subprocess
from typing import Any

import pytest

from core.bench.canvas import CanvasBench
from core.errors import EditorError


def fake_process(code: int, out: str, err: str) -> Any:
    return lambda line, **options: subprocess.CompletedProcess(line, code, out, err)


def test_figures_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.run", fake_process(0, '{"ink_ms": 3}', "chatter"))
    assert CanvasBench().run(quick=True) == {"ink_ms": 3}


def test_a_failure_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = "Traceback...\nImportError: libEGL.so.1: cannot open shared object file\n"
    monkeypatch.setattr("subprocess.run", fake_process(1, "", trouble))
    with pytest.raises(EditorError, match=r"could not be measured: ImportError: libEGL"):
        CanvasBench().run(quick=True)
