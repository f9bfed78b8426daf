"""The window: what it shows, what it opens, and what it asks before anything is lost."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from core import settings
from core.files.lock import take_lock
from core.geometry import Size
from core.paint.layers import Layer
from editor.app import App
from editor.commands.document_edits import new_document
from editor.commands.view import toggle_theme
from editor.files.file_actions import FileActions
from editor.panels.ai import AiPanel
from tests.editor.app_window import window

Answer = QMessageBox.StandardButton


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        yield made


@pytest.fixture
def open_app(app: App) -> App:
    app.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
    return app


def paint(app: App) -> None:
    document = app.session.studio.document
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(np.full((9, 9), 255, np.uint8), 5, 5)


def test_it_opens_on_the_start_page(app: App) -> None:
    assert app.window.start_page.isVisible()
    assert not app.session.canvas.isVisible()
    assert app.window.windowTitle() == "Sfumato"
    assert not app.session.actions["save"].isEnabled()


def test_the_sample_opens_as_a_copy(app: App) -> None:
    app.session.actions.run("sample")
    assert app.session.canvas.isVisible()
    assert app.session.studio.document.path is None
    assert app.session.actions["save"].isEnabled()


def test_the_title_says_what_is_not_saved(open_app: App, tmp_path: Path) -> None:
    assert open_app.window.windowTitle() == "Untitled · Sfumato"
    paint(open_app)
    assert open_app.window.windowTitle() == "Untitled* · Sfumato"
    open_app.files.save_to(tmp_path / "harbour.ora")
    open_app.files.background.wait()
    assert open_app.window.windowTitle() == "harbour.ora · Sfumato"


@pytest.mark.parametrize(
    ("answer", "closes", "saved"),
    [(Answer.Cancel, False, False), (Answer.Discard, True, False), (Answer.Save, True, True)],
)
def test_unsaved_work_is_asked_about(
    open_app: App,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    closes: bool,
    saved: bool,
) -> None:
    path = tmp_path / "a.ora"
    open_app.session.studio.document.path = path
    paint(open_app)
    monkeypatch.setattr(FileActions, "ask_about_changes", lambda _: answer)
    assert open_app.window.close() is closes
    assert path.exists() is saved


def test_nothing_is_asked_when_nothing_changed(
    open_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileActions, "ask_about_changes", lambda _: pytest.fail("asked"))
    assert open_app.window.close()


def drop(app: App, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    app.window.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def test_a_dropped_picture_opens_or_becomes_a_layer(app: App, tmp_path: Path) -> None:
    path = tmp_path / "dropped.png"
    Image.new("RGB", (30, 20), "red").save(path)
    drop(app, path)
    assert app.session.studio.document.size == (30, 20)
    drop(app, path)
    assert app.session.studio.document.size == (30, 20)
    assert [node.name for node in app.session.studio.document.root.children] == [
        "dropped",
        "Pasted",
    ]


def test_a_wrong_file_is_one_line_and_loses_nothing(open_app: App, tmp_path: Path) -> None:
    before = open_app.session.studio.document
    path = tmp_path / "letter.png"
    path.write_text("not a picture")
    assert not open_app.files.open_path(path)
    assert open_app.session.studio.document is before
    assert open_app.window.message_bar.isVisible()
    assert "letter.png" in open_app.window.message_bar.sentence.text()
    open_app.files.open_path(tmp_path / "gone.png")
    assert "does not exist" in open_app.window.message_bar.sentence.text()


def test_a_file_open_elsewhere_is_reported(open_app: App, tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    open_app.files.save_to(path)
    open_app.files.background.wait()
    lock = open_app.files.lock
    assert lock is not None
    name = Path(lock._held[0].lock_file)
    lock.release()
    other = take_lock(name)
    assert other is not None
    assert not open_app.files.open_path(path)
    assert "open in another Sfumato window" in open_app.window.message_bar.sentence.text()
    other.release()
    assert open_app.files.open_path(path)


def test_docks_hide_and_come_back(open_app: App) -> None:
    open_app.session.actions.run("docks")
    assert not any(dock.isVisible() for dock in open_app.window.docks.values())
    open_app.session.actions.run("docks")
    assert open_app.window.docks["layers"].isVisible()


def test_the_theme_changes_in_place(open_app: App) -> None:
    before = open_app.session.tokens.value.panel
    open_app.session.actions.run("theme")
    assert open_app.session.tokens.value.panel != before
    open_app.session.actions.run("theme")
    assert open_app.session.tokens.value.panel == before


def test_recent_files_are_offered_with_pictures(open_app: App, tmp_path: Path) -> None:
    open_app.files.save_to(tmp_path / "recent.ora")
    open_app.files.background.wait()
    page = open_app.window.start_page
    page.refresh()
    assert page.recent.count() == 1
    item = page.recent.item(0)
    assert item.text() == "recent.ora"
    assert not item.icon().isNull()
    (tmp_path / "recent.ora").unlink()
    page.refresh()
    assert page.recent.count() == 0


def test_keys_change_the_brush(open_app: App) -> None:
    size = open_app.session.studio.brush_params.size
    open_app.session.actions.run("larger")
    assert open_app.session.studio.brush_params.size > size
    open_app.session.actions.run("softer")
    assert open_app.session.studio.brush_params.hardness == 60
    open_app.session.studio.choose(tool="ai-brush")
    before = open_app.session.studio.tool_params.size
    open_app.session.actions.run("smaller")
    assert open_app.session.studio.tool_params.size < before


def test_copy_and_paste_go_through_the_clipboard(open_app: App) -> None:
    paint(open_app)
    open_app.session.actions.run("copy")
    open_app.session.actions.run("paste")
    pasted = open_app.session.studio.document.active
    assert isinstance(pasted, Layer)
    assert pasted.name == "Pasted"
    assert any(tile.pixels.any() for _, tile in pasted.tiles.items())


def ink(button: QAbstractButton) -> int:
    """The lightness (0 to 255) of an icon's most opaque pixel."""
    image = button.icon().pixmap(16, 16).toImage()
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return max(pixels, key=lambda colour: colour.alpha()).lightness()


def test_another_theme_reaches_icons_and_rich_text(open_app: App) -> None:
    prompts = open_app.window.panel(AiPanel).prompts
    prompts.show_source("a cat", "a dog")
    panel = open_app.window.panel(AiPanel)
    buttons = (panel.seed.dice, panel.progress.run_button)
    dark = prompts.difference.grab().toImage()
    assert min(ink(button) for button in buttons) > 150
    toggle_theme(open_app.session)
    QApplication.processEvents()
    assert max(ink(button) for button in buttons) < 110
    assert prompts.difference.grab().toImage() != dark
    assert "a" in prompts.difference.text()


def test_the_idle_search_is_off_at_first_and_remembered(app: App) -> None:
    assert not app.session.idle.is_on
    app.session.idle.turn(True)
    app.session.idle.choose("likeness")
    app.close()
    kept = settings.load().settings
    assert (kept.seeds_while_idle, kept.verifier) == (True, "likeness")
    with window(kept) as again:
        assert again.session.idle.is_on
        assert again.session.idle.active_verifier == "likeness"
        assert again.window.panel(AiPanel).seed.idle.isChecked()
        again.session.idle.turn(False)
    assert not settings.load().settings.seeds_while_idle


def test_the_status_bar_shows_the_idle_search(app: App) -> None:
    app.session.idle.text = "Looking for better seeds 3 of 8"
    app.session.idle.changed.emit(None)
    assert app.window.status.text("worker") == "Looking for better seeds 3 of 8"
    app.session.idle.text = ""
    app.session.idle.changed.emit(None)
    assert app.window.status.text("worker") == "worker stopped"


def test_activity_is_watched_only_while_the_search_is_on(app: App) -> None:
    activities: list[bool] = []
    app.activity._on_activity = lambda: activities.append(True)
    QTest.keyClick(app.window, Qt.Key.Key_Shift)
    assert not activities
    app.session.idle.turn(True)
    QTest.keyClick(app.window, Qt.Key.Key_Shift)
    assert activities
    app.session.idle.turn(False)
    activities.clear()
    QTest.keyClick(app.window, Qt.Key.Key_Shift)
    assert not activities
