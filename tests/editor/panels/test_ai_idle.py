"""The idle button switches the search for better seeds, and its menu says what is better."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.editor.panels.panel_desk import PanelDesk

pytestmark = pytest.mark.gui


def test_the_idle_button_shows_and_switches_the_search(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        button = desk.panel.seed.idle
        assert not button.isChecked()
        assert button.toolTip() == "Look for better seeds while idle: what fits the prompt better"
        off = button.icon().pixmap(18).toImage()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await desk.settle()
        assert desk.idle.is_on
        assert button.icon().pixmap(18).toImage() != off
        desk.idle.turn(False)
        await desk.settle()
        assert not button.isChecked(), "also when it was switched elsewhere"

    play(work)


def test_its_menu_lists_the_verifiers(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        menu = desk.panel.seed.idle.menu()
        menu.aboutToShow.emit()
        heading, *choices = menu.actions()
        assert not heading.isEnabled()
        assert [one.text() for one in choices] == ["fits the prompt", "keeps to the picture"]
        assert [one.isChecked() for one in choices] == [True, False]
        choices[1].trigger()
        await desk.settle()
        assert desk.idle.verifier == "likeness"
        assert "keeps to the picture" in desk.panel.seed.idle.toolTip()
        menu.aboutToShow.emit()
        assert [one.isChecked() for one in menu.actions()] == [False, False, True]

    play(work)
