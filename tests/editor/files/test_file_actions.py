"""Saving in the background: painting goes on, failures are shown, closing waits."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog

from core.errors import FileError
from core.formats.opening import open_document, save_document, save_filter
from core.geometry import Rect, Size
from core.paint.document import Document
from core.paint.layers import Layer
from editor.app import App
from editor.commands.document_edits import new_document
from editor.files import file_actions
from editor.files.file_actions import Answer, FileActions
from tests.editor.app_window import window

pytestmark = pytest.mark.gui
SPOT = Rect(3, 3, 1, 1)


@pytest.fixture
def app(qapp: object) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(40, 30), (255, 255, 255, 255)))
        yield made


def dot(app: App, value: int) -> None:
    document = app.session.studio.document
    with document.paint(document.state.active, "Dot") as painting:
        painting.write(SPOT, np.full((1, 1, 4), value, np.uint8))


def saved_dot(path: Path) -> int:
    (_, layer) = open_document(path).root.children
    assert isinstance(layer, Layer)
    return int(layer.tiles.read(SPOT)[0, 0, 3])


def test_what_is_painted_while_it_saves_is_not_saved_and_not_lost(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write, plain = threading.Event(), save_document

    def slow(document: Document, path: Path) -> None:
        assert may_write.wait(20)
        plain(document, path)

    monkeypatch.setattr(file_actions, "save_document", slow)
    dot(app, 100)
    assert app.files.save_to(tmp_path / "a.ora")
    dot(app, 200)
    assert app.files.background.is_busy
    may_write.set()
    app.files.background.wait()
    assert saved_dot(tmp_path / "a.ora") == 100
    assert app.session.studio.document.path == tmp_path / "a.ora"
    assert app.session.studio.document.is_modified
    app.files.save()
    app.files.background.wait()
    assert saved_dot(tmp_path / "a.ora") == 200
    assert not app.session.studio.document.is_modified
    assert app.window.status.currentMessage() == "Saved a.ora"


def test_a_save_that_fails_is_reported_and_nothing_counts_as_saved(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(document: object, path: Path) -> None:
        raise FileError("a.ora was not saved: the disk is full.")

    dot(app, 100)
    monkeypatch.setattr(file_actions, "save_document", full)
    app.files.save_to(tmp_path / "a.ora")
    app.files.background.wait()
    assert "the disk is full" in app.window.message_bar.sentence.text()
    assert app.session.studio.document.is_modified
    assert app.session.studio.document.path is None
    assert app.files.lock is None


@pytest.mark.parametrize("works", [True, False])
def test_closing_with_save_waits_and_stays_when_it_failed(
    works: bool, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dot(app, 100)
    target = tmp_path / "a.ora" if works else tmp_path / "nowhere" / "a.ora"
    monkeypatch.setattr(app.files, "ask_about_changes", lambda: Answer.Save)
    monkeypatch.setattr(app.files, "save_as", lambda: app.files.save_to(target))
    assert app.files.may_leave() is works
    assert target.exists() is works


def test_the_window_lives_while_a_file_opens(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_slowly(path: Path) -> Document:
        time.sleep(0.1)
        return open_document(path)

    path = tmp_path / "a.ora"
    app.files.save_to(path)
    app.files.background.wait()
    monkeypatch.setattr(file_actions, "open_document", open_slowly)
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(0)
    assert app.files.open_path(path)
    timer.stop()
    assert ticks
    assert app.session.studio.document.path == path


def choose_in_dialog(monkeypatch: pytest.MonkeyPatch, path: Path, label: str) -> None:
    """Let the Save dialog give a name and the filter of a format."""
    chosen = next(line for line in save_filter().split(";;") if line.startswith(label))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), chosen))


@pytest.mark.parametrize("name", ["x", "x.png"])
def test_an_export_has_the_format_of_the_filter_and_says_so(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    choose_in_dialog(monkeypatch, tmp_path / name, "JPEG")
    app.files.export()
    app.files.background.wait()
    assert [found.name for found in tmp_path.iterdir()] == ["x.jpg"]
    with Image.open(tmp_path / "x.jpg") as picture:
        assert picture.format == "JPEG"
    assert app.window.status.currentMessage() == "Exported x.jpg: JPEG picture"


def test_a_file_that_the_dialog_did_not_ask_about_is_asked_about(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.jpg").write_text("precious")
    choose_in_dialog(monkeypatch, tmp_path / "x.png", "JPEG")
    asked: list[Path] = []
    monkeypatch.setattr(FileActions, "may_replace", lambda _, path: asked.append(path))
    app.files.export()
    assert not app.files.save_as()
    app.files.background.wait()
    assert asked == [tmp_path / "x.jpg"] * 2
    assert (tmp_path / "x.jpg").read_text() == "precious"


def test_saving_as_follows_the_filter_too(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_in_dialog(monkeypatch, tmp_path / "x.png", "OpenRaster")
    assert app.files.save_as()
    app.files.background.wait()
    assert app.session.studio.document.path == tmp_path / "x.ora"
