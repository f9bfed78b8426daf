"""Suggested source prompts: made from what the edit starts from, never over newer text."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from core.errors import EditorError
from core.geometry import Rect, Size
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.task import Recipe
from editor.ai_session.ai_actions import AiActions
from editor.ai_session.suggest_prompt import LOOKING
from editor.commands.document_edits import new_document
from tests.editor.workshop import Bench, Workshop, gradient, recipe, stroke

WHITE, GREY = (255, 255, 255, 255), (90, 90, 90, 255)


def source_recipe(**params: Any) -> Recipe:
    return recipe(technique="prompt-to-prompt", **{"source_prompt": "", **params})


def make_actions(shop: Workshop) -> tuple[AiActions, list[str]]:
    """The AI actions of a workshop, and the list of what the status bar shows."""
    notes: list[str] = []
    shop.jobs.noted.connect(notes.append)
    return AiActions(shop.studio, shop.jobs, shop.live, source_recipe()), notes


def test_the_whole_picture_is_described_without_loading_the_model(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(shop: Workshop) -> None:
        ai, notes = make_actions(shop)
        monkeypatch.setattr(shop.engine, "open", None)
        assert await ai.prompt_suggester.suggest() == "256 by 256"
        assert notes == [LOOKING, "Suggested: 256 by 256"]
        assert not shop.document.history.done

    bench.run(work)


def test_a_selection_and_its_surroundings_are_described(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, _ = make_actions(shop)
        await shop.engine.open("toy")
        shop.document.select(Selection(Rect(40, 40, 20, 20)))
        assert await ai.prompt_suggester.suggest() == "128 by 128", "the toy model's own size"

    bench.run(work)


def test_a_large_picture_is_sent_small_and_keeps_its_shape(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, _ = make_actions(shop)
        assert await ai.prompt_suggester.suggest() == "512 by 256"

    bench.run(work, new_document(Size(700, 350), GREY))


def test_for_a_layer_what_lies_below_it_is_described(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, _ = make_actions(shop)
        layer = shop.layer(stroke(shop, source_recipe(), 60, 60))
        black = Tiles.flat(shop.document.bounds, (0, 0, 0, 255))
        shop.document.replace("Cover", replace(layer, tiles=black))
        with pytest.raises(EditorError, match="Nothing was recognised"):
            await ai.prompt_suggester.suggest()

    bench.run(work, new_document(Size(128, 128), WHITE))


def test_text_written_meanwhile_is_kept(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, notes = make_actions(shop)
        suggestion = asyncio.create_task(ai.prompt_suggester.suggest())
        await asyncio.sleep(0)
        ai.current_recipe.write(source_recipe(source_prompt="a cat"))
        assert await suggestion == ""
        assert notes[-1] == "Kept what is written; suggested was: 256 by 256"

    bench.run(work)


def test_a_suggestion_is_dropped_for_another_document(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, _ = make_actions(shop)
        suggestion = asyncio.create_task(ai.prompt_suggester.suggest())
        await asyncio.sleep(0)
        shop.studio.open(gradient())
        assert await suggestion == ""

    bench.run(work)


def test_an_unsure_or_missing_describer_raises_an_error(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, _ = make_actions(shop)
        with pytest.raises(EditorError, match="Nothing was recognised: write what"):
            await ai.prompt_suggester.suggest()
        ai.current_recipe.write(replace(ai.current_recipe.shown, model="another/model"))
        with pytest.raises(EditorError, match="Put a BLIP folder into"):
            await ai.prompt_suggester.suggest()

    bench.run(work, new_document(Size(64, 64), WHITE))
