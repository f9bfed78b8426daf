"""Escape stops what runs, and takes nothing away that is done."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from core.geometry import Rect, Size
from core.paint.layers import AiLayer
from core.paint.selection import Selection
from editor.ai_session.job import Stage
from editor.app import App
from editor.commands.document_edits import new_document
from editor.files.file_actions import FileActions
from tests.editor.app_window import window
from tests.editor.input_events import Mouse, press_key
from tests.editor.workshop import recipe, wait_until

ESCAPE = Qt.Key.Key_Escape
Play = Callable[[Callable[[App], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def play(qapp: object) -> Iterator[Play]:
    """Play a session in a whole window with a worker of its own."""
    with asyncio.Runner() as runner:

        async def session(work: Callable[[App], Coroutine[Any, Any, None]]) -> None:
            with window() as app:
                app.session.engine.start()
                app.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
                app.session.ai.current_recipe.write(recipe(technique="sdedit"))
                await work(app)

        yield lambda work: runner.run(asyncio.wait_for(session(work), 60))


def _stroke(app: App, *shares: tuple[float, float]) -> None:
    """Sweep the AI brush, chosen by its key, through places given as shares of the canvas."""
    canvas = app.session.canvas
    QTest.keyClick(app.window, Qt.Key.Key_A)
    size = app.session.studio.document.size
    places = [canvas.view.to_screen(x * size.width, y * size.height) for x, y in shares]
    Mouse(canvas).drag(*places)


async def _settle(app: App) -> None:
    for _ in range(3):
        await app.session.jobs.wait_until_idle()
        await asyncio.sleep(0.01)


def test_a_layer_with_a_result_stays_and_unsaved_is_told_as_it_is(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(app: App) -> None:
        _stroke(app, (0.5, 0.5), (0.6, 0.5))
        await _settle(app)
        document = app.session.studio.document
        app.files.save_to(tmp_path / "a.ora")
        app.files.background.wait()
        QTest.keyClick(app.window, Qt.Key.Key_B)
        root, redo = document.root, list(document.history.undone)
        QTest.keyClick(app.window, ESCAPE)
        assert isinstance(document.active, AiLayer)
        assert document.root is root
        assert document.history.undone == redo
        assert app.window.windowTitle() == "a.ora · Sfumato"
        document.undo()
        assert app.window.windowTitle() == "a.ora* · Sfumato"
        asked: list[bool] = []
        answer = app.files.ask_about_changes
        monkeypatch.setattr(FileActions, "ask_about_changes", lambda _: asked.append(True))
        app.files.may_leave()
        assert asked, f"{answer} was not asked"
        QTest.keyClick(app.window, ESCAPE)
        assert document.redo() is not None, "Escape leaves what can be redone"
        assert app.window.windowTitle() == "a.ora · Sfumato"

    play(work)


def test_a_selection_stays_and_escape_is_no_entry_of_history(play: Play) -> None:
    async def work(app: App) -> None:
        document = app.session.studio.document
        document.select(Selection(Rect(10, 10, 40, 40)))
        document.select(Selection(Rect(10, 10, 20, 20)))
        document.undo()
        keys = Qt.Key
        for tool in (keys.Key_B, keys.Key_A, keys.Key_M, keys.Key_L, keys.Key_E, keys.Key_V):
            QTest.keyClick(app.window, tool)
            QTest.keyClick(app.window, ESCAPE)
        assert document.selection.bounds == Rect(10, 10, 40, 40)
        assert len(document.history.undone) == 1

    play(work)


def test_it_ends_a_gesture_before_it_stops_a_job(play: Play) -> None:
    async def work(app: App) -> None:
        document = app.session.studio.document
        slow = recipe(technique="sdedit", steps=60)
        app.session.ai.current_recipe.write(slow)
        _stroke(app, (0.2, 0.5), (0.3, 0.5))
        await wait_until(lambda: app.session.jobs.running is not None)
        layer = document.active
        QTest.keyClick(app.window, Qt.Key.Key_B)
        entries = len(document.history.done)
        mouse = Mouse(app.session.canvas)
        mouse.press(app.session.canvas.view.to_screen(300, 100))
        press_key(app.session.canvas, ESCAPE)
        assert not app.session.canvas.is_gesturing
        assert len(document.history.done) == entries
        job = app.session.jobs.recent[0]
        assert not job.is_stopped
        press_key(app.session.canvas, ESCAPE)
        await _settle(app)
        assert job.stage is Stage.cancelled
        assert layer is not None
        assert all(node.id != layer.id for node in document.root.children)
        assert not document.history.done
        assert document.history.undone

    play(work)


def test_in_a_field_it_leaves_the_field_and_keeps_the_words(play: Play) -> None:
    async def work(app: App) -> None:
        QTest.keyClick(app.window, Qt.Key.Key_A)
        QApplication.processEvents()
        fields = app.window.options.findChildren(QLineEdit)
        field = next(line for line in fields if line.accessibleName() == "Prompt")
        field.setFocus()
        QTest.keyClicks(field, " boat")
        QTest.keyClick(field, ESCAPE)
        assert app.window.focusWidget() is app.session.canvas
        assert field.text().endswith(" boat")

    play(work)
