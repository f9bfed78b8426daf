"""The idle button and the thumbnails: what was found comes first, the best with a star."""

import asyncio
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.scoring.seed_search import MAX_SEEDS
from editor.ai_session import idle_seed_search
from editor.panels.ai_variants import KEY
from editor.widgets.pictures import rgb_pixmap
from tests.editor.panels.desks import Desk

pytestmark = pytest.mark.gui


def test_the_idle_button_shows_and_turns_the_search(play: Any) -> None:
    async def work(desk: Desk) -> None:
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
        assert not button.isChecked(), "whoever turned it off"

    play(work)


def test_its_menu_says_what_better_means(play: Any) -> None:
    async def work(desk: Desk) -> None:
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


def test_found_seeds_come_first_and_the_best_has_a_star(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_seed_search, "REST", 0.05)

    async def work(desk: Desk) -> None:
        layer = desk.stroke()
        await desk.settle()
        before, strip = desk.shop.pixels(), desk.panel.seed.thumbnails
        desk.idle.turn(True)
        while len(desk.ai.seeds.variants()) < MAX_SEEDS + 1 or desk.idle.text:
            await asyncio.sleep(0.01)
        await desk.settle()
        assert strip.count() == MAX_SEEDS + 1
        best, last = strip.item(0), strip.item(MAX_SEEDS)
        assert "found while idle: fits the prompt" in best.toolTip() or best.isSelected()
        assert best.toolTip().endswith("the best so far")
        assert sum("the best so far" in strip.item(n).toolTip() for n in range(MAX_SEEDS + 1)) == 1
        worst = next(one for one in desk.ai.seeds.variants() if one.key == last.data(KEY))
        bare = rgb_pixmap(worst.thumbnail).toImage()
        assert last.icon().pixmap(64).toImage() == bare
        first = next(one for one in desk.ai.seeds.variants() if one.key == best.data(KEY))
        assert best.icon().pixmap(64).toImage() != rgb_pixmap(first.thumbnail).toImage()
        assert (desk.shop.pixels() == before).all()
        strip.itemClicked.emit(best)
        await desk.settle()
        assert desk.shop.layer(layer).recipe.seed == first.recipe.seed
        assert best.isSelected()
        assert strip.item(0) is best, "nothing moves below the pointer"
        assert best.toolTip() == f"Seed {first.recipe.seed}, on the canvas: the best so far"

    play(work)
