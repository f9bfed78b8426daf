"""Settings survive a round trip, a crash while saving, and files that are not settings."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from core import settings
from core.errors import FileError
from core.settings import Settings
from core.versions.schema import Schema


def test_everything_survives_saving_and_loading() -> None:
    chosen = Settings(
        theme="light",
        recent=("a.ora", "b.png"),
        undo_mb=64,
        autosave_seconds=0.5,
        params={"technique:sdedit": {"steps": 12, "prompt": "déjà vu"}},
    )
    settings.save(chosen)
    assert settings.load() == (chosen, "")
    assert [path.name for path in settings.default_path().parent.iterdir()] == ["settings.json"]


def test_every_field_differs_from_its_default_after_a_round_trip(tmp_path: Path) -> None:
    changed: dict[str, Any] = {}
    for item in dataclasses.fields(Settings):
        value = getattr(Settings(), item.name)
        if isinstance(value, bool):
            changed[item.name] = not value
        elif isinstance(value, str):
            changed[item.name] = value + "x"
        elif isinstance(value, (int, float)):
            changed[item.name] = value + 1
        elif isinstance(value, tuple):
            changed[item.name] = ("x",)
        else:
            changed[item.name] = {"x": {"y": 1}}
    settings.save(Settings(**changed), tmp_path / "s.json")
    assert settings.load(tmp_path / "s.json").settings == Settings(**changed)


def test_without_a_file_there_are_defaults_and_no_note() -> None:
    assert settings.load() == (Settings(), "")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'"text"', b"\x00" * 100])
def test_an_unreadable_file_gives_defaults_and_a_note(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    loaded = settings.load(path)
    assert loaded.settings == Settings()
    assert str(path) in loaded.note
    assert "\n" not in loaded.note


def test_a_folder_in_place_of_the_file_gives_a_note(tmp_path: Path) -> None:
    loaded = settings.load(tmp_path)
    assert loaded.settings == Settings()
    assert str(tmp_path) in loaded.note


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", 3),
        ("recent", "a.png"),
        ("recent", [1]),
        ("undo_mb", -1),
        ("undo_mb", 1e300),
        ("undo_mb", True),
        ("seeds_while_idle", 1),
        ("seeds_while_idle", "yes"),
        ("autosave_seconds", "often"),
        ("params", {"a": 1}),
    ],
)
def test_one_senseless_entry_is_reset_and_the_rest_kept(
    name: str, value: object, tmp_path: Path
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"device": "cpu", name: value}))
    loaded = settings.load(path)
    assert getattr(loaded.settings, name) == getattr(Settings(), name)
    assert loaded.settings.device == "cpu"
    assert name in loaded.note


def test_entries_of_another_version_are_dropped_silently(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"theme": "light", "from_the_future": 1}))
    assert settings.load(path) == (Settings(theme="light"), "")


def test_a_save_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    settings.save(Settings(theme="light"), path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match="No space left"):
        settings.save(Settings(), path)
    assert settings.load(path).settings.theme == "light"
    assert [found.name for found in tmp_path.glob("settings*")] == ["settings.json"]


def test_a_file_where_the_folder_should_be_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be saved"):
        settings.save(Settings(), tmp_path / "file" / "settings.json")


UNVERSIONED = """{
 "theme": "light",
 "recent": [
  "a.ora"
 ],
 "autosave_seconds": 1.0,
 "undo_mb": 64,
 "params": {
  "technique:sdedit": {
   "steps": 12
  }
 }
}"""


def test_settings_without_a_version_are_read_and_get_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(UNVERSIONED)
    loaded = settings.load(path)
    params = {"technique:sdedit": {"steps": 12}}
    assert loaded == (Settings(theme="light", recent=("a.ora",), undo_mb=64, params=params), "")
    settings.save(loaded.settings, path)
    assert json.loads(path.read_text())["version"] == 1
    assert settings.load(path) == loaded
    assert [found.name for found in tmp_path.glob("settings*")] == ["settings.json"]


def test_older_settings_are_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "theme": data.pop("colours")}

    monkeypatch.setattr(settings, "SCHEMA", Schema("settings file", (rename,)))
    path = tmp_path / "settings.json"
    path.write_text('{"colours": "light"}')
    assert settings.load(path) == (Settings(theme="light"), "")
    settings.save(Settings(theme="light"), path)
    assert json.loads(path.read_text())["version"] == 2
    assert settings.load(path) == (Settings(theme="light"), "")
    path.write_text('{"size": 3}')
    assert settings.load(path).settings == Settings()
    assert "brought up to date" in settings.load(path).note


def test_settings_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    newer = b'{"version": 7, "theme": {"name": "light"}}'
    path.write_bytes(newer)
    loaded = settings.load(path)
    assert loaded.settings == Settings()
    assert "version 7" in loaded.note
    assert "\n" not in loaded.note
    assert path.read_bytes() == newer
    settings.save(Settings(theme="light"), path)
    assert (tmp_path / "settings.json.v7").read_bytes() == newer
    settings.save(Settings(), path)
    assert (tmp_path / "settings.json.v7").read_bytes() == newer
    assert settings.load(path) == (Settings(), "")


def test_newer_settings_that_cannot_be_copied_are_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"version": 7}')
    (tmp_path / "settings.json.v7").mkdir()
    with pytest.raises(FileError, match="cannot be saved"):
        settings.save(Settings(), path)
    assert path.read_text() == '{"version": 7}'


def test_recent_files_are_newest_first_without_repeats(tmp_path: Path) -> None:
    remembered = Settings()
    for n in [*range(20), 5]:
        remembered = remembered.with_recent(tmp_path / f"{n}.png")
    names = [Path(name).name for name in remembered.recent]
    assert names[:3] == ["5.png", "19.png", "18.png"]
    assert len(names) == settings.MAX_RECENT
    assert len(set(names)) == len(names)


def test_one_variable_moves_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path))
    places = settings.folders()
    assert all(path.is_relative_to(tmp_path) for path in (*places, places.models, places.plugins))
    monkeypatch.delenv("SFUMATO_HOME")
    assert not any(path.is_relative_to(tmp_path) for path in settings.folders())


def test_the_models_folder_can_be_elsewhere(tmp_path: Path) -> None:
    assert settings.models_folder() == settings.folders().models
    settings.save(Settings(models_folder=str(tmp_path / "mine")))
    assert settings.models_folder() == tmp_path / "mine"
