"""The thumbnails of variants: what the idle search found comes first, the best with a star."""

import asyncio
from typing import Any

import pytest

from core.scoring.seed_search import MAX_SEEDS
from editor.ai_session import idle_seed_search
from editor.panels.ai_variants import KEY
from editor.widgets.pictures import rgb_pixmap
from tests.editor.panels.panel_desk import PanelDesk

pytestmark = pytest.mark.gui


def test_found_seeds_come_first_and_the_best_has_a_star(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_seed_search, "REST_SECONDS", 0.05)

    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        before, thumbnails = desk.shop.pixels(), desk.panel.seed.thumbnails
        desk.idle.turn(True)
        while len(desk.ai.seeds.variants()) < MAX_SEEDS + 1 or desk.idle.text:
            await asyncio.sleep(0.01)
        await desk.settle()
        assert thumbnails.count() == MAX_SEEDS + 1
        best, last = thumbnails.item(0), thumbnails.item(MAX_SEEDS)
        assert "found while idle: fits the prompt" in best.toolTip() or best.isSelected()
        assert best.toolTip().endswith("the best so far")
        assert (
            sum("the best so far" in thumbnails.item(n).toolTip() for n in range(MAX_SEEDS + 1))
            == 1
        )
        worst = next(one for one in desk.ai.seeds.variants() if one.key == last.data(KEY))
        bare = rgb_pixmap(worst.thumbnail).toImage()
        assert last.icon().pixmap(64).toImage() == bare
        first = next(one for one in desk.ai.seeds.variants() if one.key == best.data(KEY))
        assert best.icon().pixmap(64).toImage() != rgb_pixmap(first.thumbnail).toImage()
        assert (desk.shop.pixels() == before).all()
        thumbnails.itemClicked.emit(best)
        await desk.settle()
        assert desk.shop.layer(layer).recipe.seed == first.recipe.seed
        assert best.isSelected()
        assert thumbnails.item(0) is best, "nothing moves below the pointer"
        assert best.toolTip() == f"Seed {first.recipe.seed}, on the canvas: the best so far"

    play(work)
