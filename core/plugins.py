"""Plugins: single files that register features as the built-in ones do, each loaded by itself.

A plugin runs with the person's own rights. If one fails, that is recorded,
and the others load all the same.
"""

import importlib.util
import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from core.errors import PluginError

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "plugins"
MOVED = ROOT / "resources" / "moved_modules.json"
"""Modules of earlier versions and where they are now, for plugins that were written for those."""


@dataclass(frozen=True)
class Plugin:
    """One plugin file: its module, or the trace of why there is none.

    ``advice`` is a sentence for its author, where we know what would help.
    """

    path: Path
    module: ModuleType | None = None
    trace: str = ""
    advice: str = ""

    @property
    def name(self) -> str:
        return self.path.stem


def load_plugins(*folders: Path) -> list[Plugin]:
    """Load every plugin of some folders, in the order of their names; none can stop another."""
    return [load_plugin(path) for folder in folders for path in files_in(folder)]


def files_in(folder: Path) -> list[Path]:
    """Plugin files: Python files whose names do not begin with an underscore.

    A folder that may not be read has none.
    """
    try:
        found = list(folder.glob("*.py")) if folder.is_dir() else []
    except OSError:
        found = []
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
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        del sys.modules[name]
        return Plugin(path, trace=traceback.format_exc(), advice=advice_for(error))
    return Plugin(path, module)


def advice_for(error: Exception) -> str:
    """What to tell the author of a plugin that imports or declares what was asked for once."""
    if isinstance(error, PluginError):
        return str(error)
    gone = (error.name or "") if isinstance(error, ImportError) else ""
    if gone.split(".")[0] not in {"core", "editor"}:
        return ""
    moved = json.loads(MOVED.read_text("utf-8"))
    where = f"{gone} is {moved[gone]} now" if gone in moved else f"{gone} has changed"
    return f"{where}: plugins import from core.plugin_api and editor.api."
