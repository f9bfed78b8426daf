"""The commands of the AI menu, and the report of a second run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from core.errors import EditorError
from core.geometry import Rect
from core.paint.layers import AiLayer, Layer
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.task import Recipe
from editor.ai_session.ai_actions import AiActions
from tests.editor.workshop import Bench, Workshop, recipe, stroke


def _ai(shop: Workshop) -> AiActions:
    return AiActions(shop.studio, shop.jobs, shop.live, recipe())


async def _compare_rerun(shop: Workshop, ai: AiActions) -> str:
    ai.rerun()
    await shop.jobs.wait_until_idle()
    return shop.jobs.recent[0].note


def test_running_again_gives_exactly_the_same(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        stroke(shop, recipe())
        await shop.jobs.wait_until_idle()
        state = shop.document.state
        assert (await _compare_rerun(shop, ai)).startswith("Exact: red")
        assert shop.document.state is state

    bench.run(work)


def test_rounding_is_within_tolerance(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        layer = shop.layer(stroke(shop, recipe()))
        await shop.jobs.wait_until_idle()
        layer = shop.layer(layer.id)
        pixels = layer.tiles.read(Rect(120, 120, 1, 1))
        other = layer.tiles.fork()
        other.write(Rect(120, 120, 1, 1), np.where(pixels > 100, pixels - 1, pixels + 1))
        shop.document.replace("Noise", replace(layer, tiles=other.prune()))
        assert (await _compare_rerun(shop, ai)).startswith(
            "Within tolerance: red differs by at most 1"
        )

    bench.run(work)


def test_a_difference_comes_with_its_reason(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        layer = shop.layer(stroke(shop, recipe()))
        await shop.jobs.wait_until_idle()
        layer = shop.layer(layer.id)
        shop.live.turn(False)
        shop.document.replace("Seed", replace(layer, recipe=replace(layer.recipe, seed=99)))
        report = await _compare_rerun(shop, ai)
        assert report.startswith("Different: red differs in ")
        assert "its recipe has changed since" in report
        blank = replace(layer, tiles=Tiles(), recipe=replace(layer.recipe, model_hash="old"))
        shop.document.replace("Other weights", blank)
        assert "the model's weights are others (old then, toy-1 now)" in await _compare_rerun(
            shop, ai
        )
        shop.document.replace("Blank", replace(blank, recipe=layer.recipe))
        assert "another device or library" in await _compare_rerun(shop, ai)

    bench.run(work)


def test_rerun_without_a_result_raises_an_error(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        shop.document.insert("AI", AiLayer("empty", recipe=recipe()))
        with pytest.raises(EditorError, match="run empty first"):
            ai.rerun()

    bench.run(work)


def test_freezing_keeps_pixels_whatever_happens_below(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        layer = stroke(shop, recipe(strength=0.5))
        await shop.jobs.wait_until_idle()
        ai.freeze()
        shown = shop.layer(layer).tiles
        paper = shop.document.root.children[0]
        with shop.document.paint(paper.id, "Ink") as painting:
            painting.write(Rect(100, 100, 60, 60), np.full((60, 60, 4), 255, np.uint8))
        await shop.live.refresh()
        await shop.jobs.wait_until_idle()
        assert shop.layer(layer).tiles is shown
        assert ai.state_of(shop.layer(layer)) == "frozen"

    bench.run(work)


def test_the_recipe_on_the_clipboard_reads_back(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _ = QApplication.instance() or QApplication([])
        ai = _ai(shop)
        layer = stroke(shop, recipe(seed=41))
        text = ai.copy_recipe()
        assert QApplication.clipboard().text() == text
        assert Recipe.from_json(json.loads(text)).key == shop.layer(layer).recipe.key

    bench.run(work)


def test_region_and_selection_lead_to_each_other(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        wanted = Selection.polygon([(40, 40), (90, 50), (60, 100)], shop.document.size)
        shop.document.select(wanted)
        ai.from_selection()
        await shop.jobs.wait_until_idle()
        assert shop.layer(shop.document.state.active).rendered
        shop.document.select(Selection())
        ai.mask_to_selection()
        area = shop.document.bounds
        assert (shop.document.selection.read(area) == wanted.read(area)).all()

    bench.run(work)


def test_commands_name_what_is_missing(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        with pytest.raises(EditorError, match="AI brush"):
            ai.mask_to_selection()
        with pytest.raises(EditorError, match="Nothing is selected"):
            ai.from_selection()
        shop.document.insert("AI", AiLayer("empty", recipe=recipe()))
        with pytest.raises(EditorError, match="no region"):
            ai.mask_to_selection()

    bench.run(work)


def test_a_layer_in_a_word(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai = _ai(shop)
        assert ai.state_of(Layer("ink")) == ""
        layer = stroke(shop, recipe(technique="slow", steps=20, pause=0.02))
        assert ai.state_of(shop.layer(layer)) == "running"
        await shop.jobs.wait_until_idle()
        assert ai.state_of(shop.layer(layer)) == ""
        shop.live.turn(False)
        ai.seeds.walk(1)
        assert ai.state_of(shop.layer(layer)) == "stale"
        broken = stroke(shop, recipe(technique="broken"), 60, 60)
        assert ai.state_of(shop.layer(broken)) == "press Run"
        ai.run()
        await shop.jobs.wait_until_idle()
        assert ai.state_of(shop.layer(broken)) == "failed"

    bench.run(work)
