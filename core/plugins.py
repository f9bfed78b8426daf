"""Plugins: single files that register features as the built-in ones do, each loaded by itself.

A plugin runs with the person's own rights. If one fails, that is recorded,
and the others load all the same.
"""

import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from core.errors import PluginError

SHIPPED = Path(__file__).resolve().parent.parent / "plugins"


@dataclass(frozen=True)
class Plugin:
    """One plugin file: its module, or the trace of why there is none."""

    path: Path
    module: ModuleType | None = None
    trace: str = ""

    @property
    def name(self) -> str:
        return self.path.stem


def load_plugins(*folders: Path) -> list[Plugin]:
    """Load every plugin of some folders, in the order of their names; none can stop another."""
    return [load_plugin(path) for folder in folders for path in files_in(folder)]


def files_in(folder: Path) -> list[Path]:
    """Plugin files: Python files whose names do not begin with an underscore."""
    found = folder.glob("*.py") if folder.is_dir() else []
    return sorted(path for path in found if not path.name.startswith("_"))


def load_plugin(path: Path) -> Plugin:
    """Run one file under a private name, so that it cannot shadow a library.

    What the file raises is kept in ``trace``. Raises PluginError when it is no Python file.
    """
    name = f"plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path.name} cannot be loaded as a plugin.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        del sys.modules[name]
        return Plugin(path, trace=traceback.format_exc())
    return Plugin(path, module)
