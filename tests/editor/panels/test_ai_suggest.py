"""The Suggest button: shown with the source prompt, with the reason when it is disabled."""

import asyncio
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editor.panels.ai_suggest import ABOUT
from editor.panels.ai_words import PromptFields
from editor.widgets.style import apply_theme
from tests.editor.panels.panel_desk import PanelDesk, process_events

pytestmark = pytest.mark.gui


@pytest.fixture
def fields(qtbot: QtBot, application: QApplication) -> PromptFields:
    apply_theme(application, "dark")
    made = PromptFields()
    qtbot.addWidget(made)
    made.resize(280, 200)
    made.show()
    return made


def test_it_stands_next_to_the_field_and_is_hidden_with_it(fields: PromptFields) -> None:
    fields.show_source("", "")
    field, button = fields.source.geometry(), fields.suggestion.geometry()
    assert button.top() == field.top()
    assert button.bottom() <= field.bottom()
    assert field.right() < button.left()
    assert button.right() == fields.prompt.geometry().right()
    fields.show_source("", "", is_asked=False)
    assert not fields.suggestion.isVisible()


def test_a_reason_disables_it_and_is_its_tool_tip(fields: PromptFields, qtbot: QtBot) -> None:
    fields.suggestion.show_state("Put it there.", is_busy=False)
    assert not fields.suggestion.isEnabled()
    assert fields.suggestion.toolTip() == "Put it there."
    fields.suggestion.show_state("", is_busy=False)
    assert fields.suggestion.toolTip() == ABOUT
    with qtbot.waitSignal(fields.suggest):
        fields.suggestion.click()


def test_its_texts_fit_and_do_not_move_it(fields: PromptFields) -> None:
    width = fields.suggestion.width()
    fields.suggestion.show_state("", is_busy=True)
    assert fields.suggestion.text() == "Looking…"
    assert fields.suggestion.sizeHint().width() <= width == fields.suggestion.width()


@pytest.fixture
def has_describer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that there is a describer: the worker's is not registered in this process."""
    monkeypatch.setattr("editor.panels.ai.missing_for_describer", lambda _: "")


def choose_prompt_to_prompt(desk: PanelDesk) -> None:
    desk.panel.choices.technique.emit("prompt-to-prompt")
    process_events()


async def press_suggest(desk: PanelDesk) -> None:
    QTest.mouseClick(desk.panel.prompts.suggestion, Qt.MouseButton.LeftButton)
    process_events()
    assert desk.panel.prompts.suggestion.text() == "Looking…"
    assert not desk.panel.prompts.suggestion.isEnabled()


async def wait_for_suggestion(desk: PanelDesk) -> None:
    while not desk.panel.prompts.suggestion.isEnabled():
        await asyncio.sleep(0.01)
        process_events()


@pytest.mark.usefixtures("has_describer")
def test_a_suggestion_is_as_good_as_typed(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        choose_prompt_to_prompt(desk)
        field = desk.panel.prompts.source
        QTest.keyClicks(field, "a cat")
        await press_suggest(desk)
        await wait_for_suggestion(desk)
        assert field.toPlainText() == "256 by 256"
        assert desk.ai.current_recipe.offer_for_stroke().params["source_prompt"] == "256 by 256"
        QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert desk.ai.current_recipe.shown.params["source_prompt"] == "a cat"

    play(work)


@pytest.mark.usefixtures("has_describer")
def test_what_is_typed_meanwhile_stays(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        choose_prompt_to_prompt(desk)
        await press_suggest(desk)
        await asyncio.sleep(0)
        QTest.keyClicks(desk.panel.prompts.source, "a cat")
        process_events()
        assert not desk.panel.prompts.suggestion.isEnabled(), "still looking"
        await wait_for_suggestion(desk)
        assert desk.panel.prompts.source.toPlainText() == "a cat"

    play(work)


@pytest.mark.usefixtures("has_describer")
def test_a_failure_is_the_error_line_until_the_next_try(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        choose_prompt_to_prompt(desk)
        desk.panel.choices.model.emit("another/model")
        await press_suggest(desk)
        await wait_for_suggestion(desk)
        assert "Put a BLIP folder into" in desk.panel.progress.error.text()
        await press_suggest(desk)
        assert desk.panel.progress.error.isHidden()
        await wait_for_suggestion(desk)
        assert desk.panel.progress.error.isVisible()

    play(work)


def test_without_a_describer_the_reason_is_shown(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        choose_prompt_to_prompt(desk)
        assert desk.panel.prompts.suggestion.isVisible()
        assert not desk.panel.prompts.suggestion.isEnabled()
        assert "Put a BLIP folder into" in desk.panel.prompts.suggestion.toolTip()
        desk.panel.choices.technique.emit("text-to-image")
        process_events()
        assert not desk.panel.prompts.suggestion.isVisible()

    play(work)
