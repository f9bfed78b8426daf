"""The row of verbs: each asks for its words, keeps what is typed, and makes its own AI layer."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.ai.recipe_values import source_prompt_of
from core.geometry import Rect
from core.paint.layers import AiLayer
from core.paint.selection import Selection
from editor.panels.ai_choices import model_entries
from tests.editor.panels.panel_desk import PanelDesk, process_events

pytestmark = pytest.mark.gui


def press(desk: PanelDesk, verb: str) -> None:
    QTest.mouseClick(desk.panel.verbs.buttons[verb], Qt.MouseButton.LeftButton)


def test_each_verb_asks_for_its_words(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        asked = {}
        for verb in ("add", "replace", "remove", "restyle", "generate"):
            press(desk, verb)
            process_events()
            fields = desk.panel.prompts
            assert desk.panel.verbs.buttons[verb].isChecked()
            asked[verb] = (fields.source.isVisible(), fields.prompt.isVisible())
        assert asked["add"][1]
        assert asked["replace"] == (True, True)
        assert asked["remove"] == (True, False)
        assert asked["generate"] == (False, True)
        assert sum(b.isChecked() for b in desk.panel.verbs.buttons.values()) == 1

    play(work)


def test_typed_words_stay_through_all_verbs(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        press(desk, "replace")
        process_events()
        for field, text in (
            (desk.panel.prompts.source, "a tree"),
            (desk.panel.prompts.prompt, "a mushroom"),
        ):
            field.clear()
            QTest.keyClicks(field, text)
        for verb in ("remove", "generate", "add", "restyle", "replace"):
            press(desk, verb)
            process_events()
        assert desk.panel.prompts.source.toPlainText() == "a tree"
        assert desk.panel.prompts.prompt.toPlainText() == "a mushroom"
        assert source_prompt_of(desk.ai.current_recipe.shown) == "a tree"

    play(work)


def test_another_verb_makes_another_layer_confined_to_the_selection(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.panel.progress.live_switch.click()
        first = desk.stroke(prompt="red")
        desk.shop.document.select(Selection(Rect(150, 150, 60, 60)))
        process_events()
        press(desk, "remove")
        process_events()
        assert "new AI layer" in desk.panel.prompts.hint.text()
        desk.panel.progress.run_button.click()
        layer = desk.shop.document.active
        assert isinstance(layer, AiLayer)
        assert layer.id != first
        assert (layer.recipe.verb, layer.recipe.technique) == ("remove", "erase")
        assert layer.recipe.confined
        assert layer.region.tight_bounds() == Rect(150, 150, 60, 60)
        desk.shop.jobs.cancel_all()
        await desk.settle()

    play(work)


def test_the_toy_is_listed_where_it_is_chosen() -> None:
    assert "toy" not in {entry.id for entry in model_entries("storybook")}
    assert "toy" in {entry.id for entry in model_entries("toy")}
