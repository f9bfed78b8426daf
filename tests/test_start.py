"""The set-up script: pins without addresses, the right words for what is missing."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", ROOT / "packaging" / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_constraints_are_exact_pins_without_addresses() -> None:
    lines = (ROOT / "packaging" / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    assert "torch==2.13.0" in lines


def test_every_dependency_is_pinned() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert listed is not None
    wanted = {_plain(name) for name in re.findall(r'"([A-Za-z0-9_-]+)', listed[1])}
    pins = (ROOT / "packaging" / "constraints.txt").read_text().split()
    assert wanted <= {_plain(pin.split("==")[0]) for pin in pins}


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_old_python_gets_one_sentence(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    assert start.main([]) == 2
    assert "Python 3.11 or newer" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_sets_nothing_up(
    start: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    word: str,
) -> None:
    monkeypatch.setattr(start, "set_up", lambda: pytest.fail("help needs no set-up"))
    assert start.main([word]) == 0
    shown = capsys.readouterr().out
    assert all(f"packaging/start.py {verb}" in shown for verb in ("[FILE", "test", "setup"))


def test_an_unknown_option_is_refused_before_the_set_up(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "set_up", lambda: pytest.fail("an unknown option sets nothing up"))
    assert start.main(["--hepl"]) == 2
    assert "--hepl" in capsys.readouterr().out


def test_missing_libraries_without_root_name_the_exact_command(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "loads", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(start, "is_root", lambda: False)
    monkeypatch.setattr(start.shutil, "which", lambda name: f"/usr/bin/{name}")
    start.provide_libraries()
    assert "sudo apt-get install libegl1" in capsys.readouterr().out


def test_missing_libraries_as_root_are_installed(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def note(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, b"")

    monkeypatch.setattr(start, "loads", lambda library: library != "libglib-2.0.so.0")
    monkeypatch.setattr(start, "is_root", lambda: True)
    monkeypatch.setattr(start.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(start.subprocess, "run", note)
    start.provide_libraries()
    assert commands[-1][:2] == ["apt-get", "install"]
    assert "libglib2.0-0" in commands[-1]


def test_without_a_display_the_tour_is_played(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def note(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(start, "has_display", lambda: False)
    monkeypatch.setattr(start.subprocess, "run", note)
    assert start.open_editor([]) == 0
    assert commands[0][1:] == ["-m", "editor.dev.tour"]
