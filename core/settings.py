"""The person's choices as one frozen value in a JSON file, and the folders of the program."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from core.errors import FileError, VersionError
from core.files.atomic import replace_file
from core.versions.schema import Schema

APP = "sfumato"
SCHEMA = Schema("settings file")
MAX_RECENT = 12
"""Recent files that are remembered."""


class Folders(NamedTuple):
    """Where things live; SFUMATO_HOME puts all of them into one folder."""

    config: Path
    data: Path
    log: Path

    @property
    def models(self) -> Path:
        """Checkpoints the person has put there; the shipped model is not among them."""
        return self.data / "models"

    @property
    def plugins(self) -> Path:
        return self.data / "plugins"

    @property
    def autosave(self) -> Path:
        return self.data / "autosave"

    @property
    def locks(self) -> Path:
        return self.data / "locks"


def folders() -> Folders:
    """The program's folders as the environment has them now."""
    home = os.environ.get("SFUMATO_HOME")
    if home:
        root = Path(home)
        return Folders(root / "config", root / "data", root / "log")
    try:
        return Folders(
            platformdirs.user_config_path(APP, appauthor=False),
            platformdirs.user_data_path(APP, appauthor=False),
            platformdirs.user_log_path(APP, appauthor=False),
        )
    except RuntimeError:
        # Nobody's home: a place where nothing can be, so that nothing is made elsewhere.
        return Folders(*(Path(os.devnull, APP, name) for name in Folders._fields))


@dataclass(frozen=True)
class Settings:
    """Everything that is remembered between two sessions; sizes in MB, times in seconds."""

    theme: str = "dark"
    recent: tuple[str, ...] = ()
    autosave_seconds: float = 1.0
    undo_mb: int = 1024
    cache_mb: int = 256
    models_folder: str = ""
    device: str = "auto"
    worker_threads: int = 0
    """Cores that the worker computes with; 0 leaves the number to the program."""
    wheel: str = "seeds"
    """What the wheel does under the AI brush over its fresh layer: "seeds" or "zoom"."""
    technique: str = "blended-inpaint"
    model: str = "storybook"
    seeds_while_idle: bool = False
    verifier: str = "agreement"
    """The id of what scores seeds, so that better ones can be found."""
    tool: str = "brush"
    brush: str = "round"
    params: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Last used parameters by kind and id, such as ``technique:layered-brush``."""
    ai_details: bool = False
    """Whether the AI dock shows every dial of a technique."""
    windows: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Where the window stood, by screen; the one that was used last comes last."""

    def with_recent(self, path: Path) -> "Settings":
        """The settings with a file at the head of the recent ones."""
        name = str(path.resolve())
        others = tuple(other for other in self.recent if other != name)
        return dataclasses.replace(self, recent=(name, *others)[:MAX_RECENT])


class LoadedSettings(NamedTuple):
    """Settings, and one sentence when the file could not be used as it was."""

    settings: Settings
    note: str = ""


def default_path() -> Path:
    """Where the settings are unless another path is given."""
    return folders().config / "settings.json"


def load(path: Path | None = None) -> LoadedSettings:
    """The settings in a file; what cannot be read keeps its default, and the note names it."""
    path = path or default_path()
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return LoadedSettings(Settings())
    except (OSError, ValueError, RecursionError) as error:
        return LoadedSettings(
            Settings(), f"The settings in {path} cannot be read ({error}); using the defaults."
        )
    if not isinstance(data, dict):
        return LoadedSettings(
            Settings(), f"The settings in {path} are not settings; using the defaults."
        )
    try:
        return _check_values(SCHEMA.migrate(data), path)
    except VersionError as error:
        return LoadedSettings(
            Settings(),
            f"The settings in {path} are of version {error.version}, from a newer Sfumato: "
            "they are kept, and the defaults are used.",
        )
    except FileError:
        return LoadedSettings(
            Settings(), f"The settings in {path} cannot be brought up to date; using the defaults."
        )


def models_folder() -> Path:
    """Where the person's own checkpoints are."""
    return Path(load().settings.models_folder or folders().models)


def files_in_models_folder() -> list[Path]:
    """What lies in the folder of checkpoints, by name; one that may not be read has nothing."""
    folder = models_folder()
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        return []


def save(settings: Settings, path: Path | None = None) -> None:
    """Write the settings; a crash leaves the old file or the new one.

    Settings of a newer Sfumato are first copied to a name with their version at its end. Raises
    FileError when the folder cannot be written.
    """
    path = path or default_path()
    text = json.dumps(SCHEMA.stamp(dataclasses.asdict(settings)), indent=1).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep_newer(path)
        replace_file(path, lambda stream: stream.write(text), is_private=True)
    except OSError as error:
        raise FileError(f"The settings cannot be saved in {path}: {error.strerror}.") from error


def _keep_newer(path: Path) -> None:
    """Copy the settings in a file to another name if they are of a newer version than known."""
    try:
        content = path.read_bytes()
        SCHEMA.version_of(json.loads(content))
    except VersionError as error:
        backup = path.with_name(f"{path.name}.v{error.version}")
        replace_file(backup, lambda stream: stream.write(content), is_private=True)
    except (OSError, ValueError, RecursionError):
        return


def _check_values(data: dict[str, Any], path: Path) -> LoadedSettings:
    """Keep every entry of the right type; unknown ones are dropped."""
    defaults, values, wrong = Settings(), {}, []
    for item in dataclasses.fields(Settings):
        if item.name not in data:
            continue
        value = _convert_value(data[item.name], getattr(defaults, item.name))
        if value is None:
            wrong.append(item.name)
        else:
            values[item.name] = value
    note = f"Settings in {path} that make no sense were reset: {', '.join(wrong)}." if wrong else ""
    return LoadedSettings(dataclasses.replace(defaults, **values), note)


def _convert_value(value: Any, default: Any) -> Any:
    """The value in the type of its default, or None."""
    if isinstance(default, tuple):
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return tuple(value) if fits else None
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, (int, float)):
        return _convert_number(value, default)
    if isinstance(default, dict):
        fits = isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())
        return value if fits else None
    return value if isinstance(value, type(default)) else None


def _convert_number(value: Any, default: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        return None
    return type(default)(value) if value < 2**31 else None
