"""The Suggest button: there where a technique asks, and it says why when it cannot be pressed."""

import asyncio
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editor.panels.ai_suggest import ABOUT
from editor.panels.ai_words import PromptFields
from editor.widgets import theme
from tests.editor.panels.panel_desk import Desk, show

pytestmark = pytest.mark.gui


@pytest.fixture
def words(qtbot: QtBot, application: QApplication) -> PromptFields:
    theme.apply(application, "dark")
    made = PromptFields()
    qtbot.addWidget(made)
    made.resize(280, 200)
    made.show()
    return made


def test_it_stands_beside_the_field_and_goes_with_it(words: PromptFields) -> None:
    words.show_source("", "")
    field, button = words.source.geometry(), words.suggestion.geometry()
    assert button.top() == field.top()
    assert button.bottom() <= field.bottom()
    assert field.right() < button.left()
    assert button.right() == words.prompt.geometry().right()
    words.show_source(None, "")
    assert not words.suggestion.isVisible()


def test_a_reason_greys_it_and_is_told(words: PromptFields, qtbot: QtBot) -> None:
    words.suggestion.show_state("Put it there.", is_busy=False)
    assert not words.suggestion.isEnabled()
    assert words.suggestion.toolTip() == "Put it there."
    words.suggestion.show_state("", is_busy=False)
    assert words.suggestion.toolTip() == ABOUT
    with qtbot.waitSignal(words.suggest):
        words.suggestion.click()


def test_its_words_fit_and_do_not_move_it(words: PromptFields) -> None:
    width = words.suggestion.width()
    words.suggestion.show_state("", is_busy=True)
    assert words.suggestion.text() == "Looking…"
    assert words.suggestion.sizeHint().width() <= width == words.suggestion.width()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's witness describes pictures; this process has not met it."""
    monkeypatch.setattr("editor.panels.ai.missing_for_describer", lambda _: "")


def ready(desk: Desk) -> None:
    desk.panel.choices.technique.emit("prompt-to-prompt")
    show()


async def pressed(desk: Desk) -> None:
    QTest.mouseClick(desk.panel.words.suggestion, Qt.MouseButton.LeftButton)
    show()
    assert desk.panel.words.suggestion.text() == "Looking…"
    assert not desk.panel.words.suggestion.isEnabled()


async def answered(desk: Desk) -> None:
    while not desk.panel.words.suggestion.isEnabled():
        await asyncio.sleep(0.01)
        show()


@pytest.mark.usefixtures("known")
def test_a_suggestion_is_as_good_as_typed(play: Any) -> None:
    async def work(desk: Desk) -> None:
        ready(desk)
        field = desk.panel.words.source
        QTest.keyClicks(field, "a cat")
        await pressed(desk)
        await answered(desk)
        assert field.toPlainText() == "256 by 256"
        assert desk.ai.recipes.for_stroke().params["source_prompt"] == "256 by 256"
        QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert desk.ai.recipes.shown.params["source_prompt"] == "a cat"

    play(work)


@pytest.mark.usefixtures("known")
def test_what_is_typed_meanwhile_stays(play: Any) -> None:
    async def work(desk: Desk) -> None:
        ready(desk)
        await pressed(desk)
        await asyncio.sleep(0)
        QTest.keyClicks(desk.panel.words.source, "a cat")
        show()
        assert not desk.panel.words.suggestion.isEnabled(), "still looking"
        await answered(desk)
        assert desk.panel.words.source.toPlainText() == "a cat"

    play(work)


@pytest.mark.usefixtures("known")
def test_a_failure_is_the_error_line_until_the_next_try(play: Any) -> None:
    async def work(desk: Desk) -> None:
        ready(desk)
        desk.panel.choices.model.emit("another/model")
        await pressed(desk)
        await answered(desk)
        assert "Put a BLIP folder into" in desk.panel.progress.error.text()
        await pressed(desk)
        assert desk.panel.progress.error.isHidden()
        await answered(desk)
        assert desk.panel.progress.error.isVisible()

    play(work)


def test_without_a_describer_the_reason_is_shown(play: Any) -> None:
    async def work(desk: Desk) -> None:
        ready(desk)
        assert desk.panel.words.suggestion.isVisible()
        assert not desk.panel.words.suggestion.isEnabled()
        assert "Put a BLIP folder into" in desk.panel.words.suggestion.toolTip()
        desk.panel.choices.technique.emit("sdedit")
        show()
        assert not desk.panel.words.suggestion.isVisible()

    play(work)
