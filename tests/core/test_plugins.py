"""Plugins load each by itself, under names that hide nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import catalog
from core.plugins import SHIPPED, load_plugins

GOOD = '''
from dataclasses import dataclass
from typing import Annotated
from core.catalog import techniques
from core.params import Prompt

@techniques.register
class Echo:
    """Gives back the picture (arXiv 0000.00000)."""
    id, label, needs = "echo", "Echo", frozenset()
    needs_mask, is_seeded, shows_map, paper = False, True, False, None

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt()] = ""

    def run(self, task, model):
        return task.image
        yield
'''


@pytest.fixture(autouse=True)
def _registries_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    catalog.load()
    for _, registry in catalog.kinds():
        monkeypatch.setattr(registry, "_items", dict(registry._items))
    yield
    for name in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[name]


def test_a_failing_plugin_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind\n")
    (tmp_path / "typo.py").write_text("def (:\n")
    (tmp_path / "_private.py").write_text("raise SystemExit\n")
    broken, echo, typo = load_plugins(tmp_path)
    assert "nothing_of_the_kind" in broken.trace
    assert "SyntaxError" in typo.trace
    assert not echo.trace
    assert catalog.techniques["echo"].label == "Echo"


def test_a_plugin_cannot_shadow_a_library(tmp_path: Path) -> None:
    import json

    (tmp_path / "json.py").write_text("value = 1\n")
    load_plugins(tmp_path)
    assert sys.modules["json"] is json
    assert sys.modules["plugin_json"].value == 1


def test_a_taken_id_is_the_plugins_failure(tmp_path: Path) -> None:
    catalog.load("techniques")
    (tmp_path / "thief.py").write_text(GOOD.replace('"echo"', '"sdedit"'))
    (thief,) = load_plugins(tmp_path)
    assert "core.techniques.sdedit" in thief.trace
    assert catalog.techniques["sdedit"].__module__ == "core.techniques.sdedit"


def test_a_missing_folder_holds_none(tmp_path: Path) -> None:
    assert load_plugins(tmp_path / "gone") == []


def test_shipped_plugins_load() -> None:
    loaded = load_plugins(SHIPPED)
    assert [plugin.name for plugin in loaded] == ["chisel"]
    assert not any(plugin.trace for plugin in loaded)
