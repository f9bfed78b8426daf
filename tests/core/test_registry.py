"""Registries: one owner per id, found by name, listed in id order."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pytest

from core.errors import EditorError, PluginError
from core.registry import Registry, load_all

if TYPE_CHECKING:
    from types import ModuleType


def item(name: str, home: str) -> type[Any]:
    return type(name.title(), (), {"id": name, "label": name, "__module__": home})


def test_a_taken_id_names_both_homes() -> None:
    registry: Registry[type[Any]] = Registry("brush")
    registry.register(item("pen", "core.brushes.pen"))
    with pytest.raises(ValueError, match=r"core\.brushes\.pen.*plugin_x"):
        registry.register(item("pen", "plugin_x"))


def test_the_same_class_may_be_imported_again() -> None:
    registry: Registry[type[Any]] = Registry("brush")
    registry.register(item("pen", "core.brushes.pen"))
    registry.register(item("pen", "core.brushes.pen"))
    assert len(registry) == 1


class Pen(Protocol):
    id: ClassVar[str]
    label: ClassVar[str]
    is_wet: ClassVar[bool]

    def stroke(self) -> None: ...


def test_what_an_item_does_not_declare_is_one_sentence() -> None:
    registry: Registry[type[Any]] = Registry("pen", Pen)
    with pytest.raises(PluginError) as refused:
        registry.register(item("quill", "plugin_quill"))
    assert str(refused.value) == (
        "The pen 'quill' in plugin_quill.Quill does not declare is_wet, stroke: "
        "see Pen in tests.core.test_registry."
    )
    assert "quill" not in registry


def test_iteration_is_by_id_and_unknown_names_are_told() -> None:
    registry: Registry[type[Any]] = Registry("brush")
    for name in ("round", "airbrush", "pencil"):
        registry.register(item(name, "core"))
    assert [found.id for found in registry] == ["airbrush", "pencil", "round"]
    assert "round" in registry
    with pytest.raises(EditorError, match="no brush called 'oil'; there are: airbrush, pencil"):
        registry["oil"]


def test_load_all_walks_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "features"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("seen = []\n")
    (package / "deep" / "__init__.py").write_text("")
    (package / "one.py").write_text("import features\nfeatures.seen.append('one')\n")
    (package / "deep" / "two.py").write_text("import features\nfeatures.seen.append('two')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    features: ModuleType = importlib.import_module("features")
    load_all(features)
    assert sorted(features.seen) == ["one", "two"]
    for name in [name for name in sys.modules if name.startswith("features")]:
        del sys.modules[name]
