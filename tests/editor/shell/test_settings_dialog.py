"""The Settings dialog gives what was changed, keeps the rest, and the window follows at once."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QDialogButtonBox
from pytestqt.qtbot import QtBot

from core import settings as stored
from core.engine.engine import WorkerOptions
from core.errors import FileError
from core.settings import Settings
from editor.app import App
from editor.commands.settings import change_settings
from editor.shell.settings_dialog import PAGES, SettingsDialog
from editor.widgets.slider import NumberSlider
from editor.widgets.theme import LIGHT
from tests.editor.app_window import window


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        yield made


def field(dialog: SettingsDialog, name: str) -> object:
    return next(form.fields[name] for form in dialog.forms if name in form.fields)


def test_every_field_is_a_setting_with_its_default() -> None:
    defaults = dataclasses.asdict(Settings())
    for page in PAGES:
        shown = dataclasses.asdict(page())
        assert shown == {name: defaults[name] for name in shown}


def test_untouched_settings_stay_even_those_that_no_field_can_show(qtbot: QtBot) -> None:
    settings = Settings(device="cuda:1", undo_mb=99_999, theme="sepia", recent=("a.ora",))
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    assert dialog.settings_wanted == settings


def test_what_is_changed_and_nothing_else_is_given(qtbot: QtBot) -> None:
    settings = Settings(device="cuda:1", recent=("a.ora",))
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    wheel, undo = field(dialog, "wheel"), field(dialog, "undo_mb")
    assert isinstance(wheel, QComboBox)
    assert isinstance(undo, NumberSlider)
    wheel.setCurrentIndex(wheel.findData("zoom"))
    undo.settled.emit(512.0)
    assert dialog.settings_wanted == dataclasses.replace(settings, wheel="zoom", undo_mb=512)


def test_window_worker_and_file_follow(app: App) -> None:
    app.session.actions.run("settings")
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, SettingsDialog))
    theme, threads = field(dialog, "theme"), field(dialog, "worker_threads")
    assert isinstance(theme, QComboBox)
    assert isinstance(threads, NumberSlider)
    theme.setCurrentIndex(theme.findData("light"))
    threads.settled.emit(3.0)
    buttons = dialog.findChild(QDialogButtonBox)
    assert buttons is not None
    buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert app.session.tokens.value == LIGHT
    assert app.session.engine.options == WorkerOptions(threads=3)
    written = json.loads(stored.default_path().read_text("utf-8"))
    assert (written["theme"], written["worker_threads"]) == ("light", 3)


def test_undo_memory_and_wheel_change_at_once(app: App) -> None:
    session = app.session
    change_settings(session, dataclasses.replace(session.settings.value, undo_mb=64, wheel="zoom"))
    assert session.studio.document.history.budget == 64 << 20
    assert not session.ai.seeds.uses_wheel


def test_cancel_changes_nothing(app: App) -> None:
    before = app.session.settings.value
    app.session.actions.run("settings")
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, SettingsDialog))
    undo = field(dialog, "undo_mb")
    assert isinstance(undo, NumberSlider)
    undo.settled.emit(64.0)
    dialog.reject()
    assert app.session.settings.value == before


def test_settings_that_cannot_be_written_are_used_all_the_same(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path / "file"))
    other = dataclasses.replace(app.session.settings.value, undo_mb=128)
    with pytest.raises(FileError, match="cannot be saved"):
        change_settings(app.session, other)
    assert app.session.settings.value.undo_mb == 128
