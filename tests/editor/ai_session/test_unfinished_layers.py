"""AI layers without a result: every way a run can end, and what is left of the layer then."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.errors import EditorError
from core.geometry import Point, Rect
from core.paint.layers import AiLayer, Layer, walk
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.task import Recipe
from editor.ai_session.ai_actions import AiActions
from editor.ai_session.unfinished_layers import TakenBack
from editor.commands import document_edits
from tests.editor.workshop import (
    Bench,
    Sweep,
    Workshop,
    gradient,
    last_job,
    recipe,
    stroke,
    wait_until,
)

SLOW = recipe(technique="slow", steps=30, pause=0.02)


def _start(shop: Workshop) -> tuple[AiActions, list[TakenBack]]:
    taken: list[TakenBack] = []
    ai = AiActions(shop.studio, shop.jobs, shop.live, recipe())
    ai.unfinished.taken_back.connect(taken.append)
    return ai, taken


def _unfinished(shop: Workshop) -> list[AiLayer]:
    nodes = walk(shop.document.root)
    return [node for node in nodes if isinstance(node, AiLayer) and not node.rendered]


async def _settle(shop: Workshop) -> None:
    """Wait until nothing runs, and nothing is about to."""
    for _ in range(3):
        await shop.jobs.wait_until_idle()
        await asyncio.sleep(0.01)


async def _run_steps(shop: Workshop, steps: int = 1) -> None:
    await wait_until(lambda: shop.jobs.running is not None and shop.jobs.running.n >= steps)


def test_a_stopped_stroke_is_taken_back_and_redo_runs_it(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, taken = _start(shop)
        before = shop.document.root
        layer = stroke(shop, SLOW)
        await _run_steps(shop)
        shop.jobs.cancel_all()
        await _settle(shop)
        assert shop.document.root is before
        assert taken == [TakenBack("red", None, True)]
        shop.document.redo()
        await _settle(shop)
        assert shop.layer(layer).rendered
        assert len(taken) == 1

    bench.run(work)


@pytest.mark.parametrize("broken", ["broken", "from-a-plugin"])
def test_a_failed_stroke_is_taken_back_with_its_reason(bench: Bench, broken: str) -> None:
    async def work(shop: Workshop) -> None:
        ai, taken = _start(shop)
        before = shop.document.root
        layer = stroke(shop, recipe(technique=broken))
        await _settle(shop)
        assert shop.document.root is before
        assert taken[0].failure is not None
        assert taken[0].can_redo
        ai.run()
        assert shop.layer(layer).recipe.technique == ai.current_recipe.shown.technique
        await _settle(shop)
        assert shop.layer(layer).rendered, "Run brings the stroke back, with the present dials"

    bench.run(work)


def test_a_missing_model_leaves_no_layer(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, taken = _start(shop)
        stroke(shop, recipe(model="/nowhere/model.safetensors"))
        await _settle(shop)
        assert not _unfinished(shop)
        assert taken[0].failure is not None

    bench.run(work)


def test_other_edits_on_top_stay_when_the_layer_goes(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, taken = _start(shop)
        shop.document.saved = shop.document.state
        layer = stroke(shop, SLOW)
        await _run_steps(shop)
        shop.document.insert("Ink", Layer("ink"))
        shop.document.select(Selection(Rect(0, 0, 9, 9)))
        shop.jobs.cancel_all()
        await _settle(shop)
        assert [node.name for node in shop.document.root.children] == ["gradient", "ink"]
        assert shop.document.selection
        assert not taken[0].can_redo
        assert [edit.label for edit in shop.document.history.done] == ["Ink", "Select"]
        while shop.document.undo():
            assert layer not in [node.id for node in walk(shop.document.root)]
        assert not shop.document.is_modified, "undone to what was opened"

    bench.run(work)


def test_two_quick_strokes_are_one_layer_with_a_result(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _start(shop)
        first = stroke(shop, SLOW, 60, 60)
        await _run_steps(shop, 25)
        sweep = Sweep(shop, SLOW, 200, 200, mode="extend")
        second = sweep.release()
        await _settle(shop)
        assert first == second
        layer = shop.layer(first)
        assert layer.rendered
        for x, y in ((70, 60), (200, 200)):
            assert layer.region.read(Rect(x, y, 1, 1)).any()
            assert layer.tiles.read(Rect(x, y, 1, 1)).any()

    bench.run(work)


def test_two_quick_overlapping_new_layers_both_get_a_result(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _start(shop)
        first = stroke(shop, SLOW)
        await _run_steps(shop)
        second = stroke(shop, recipe(seed=4))
        await _settle(shop)
        assert first != second
        assert shop.layer(first).rendered
        assert shop.layer(second).rendered

    bench.run(work)


def _move(shop: Workshop, layer: str) -> None:
    shop.document.replace("Move", replace(shop.layer(layer), position=Point(10, 0)))


def _duplicate(shop: Workshop, layer: str) -> None:
    document_edits.duplicate(shop.document)


def _undo_and_redo(shop: Workshop, layer: str) -> None:
    shop.document.undo()
    shop.document.redo()


def _delete_and_undo(shop: Workshop, layer: str) -> None:
    document_edits.delete(shop.document)
    shop.document.undo()


def _group(shop: Workshop, layer: str) -> None:
    document_edits.add_group(shop.document)


def _hide(shop: Workshop, layer: str) -> None:
    shop.document.replace("Hide layer", replace(shop.layer(layer), visible=False))


@pytest.mark.parametrize(
    "act", [_move, _duplicate, _undo_and_redo, _delete_and_undo, _group, _hide]
)
def test_whatever_happens_to_a_layer_during_its_run_it_gets_a_result(
    bench: Bench, act: Callable[[Workshop, str], None]
) -> None:
    async def work(shop: Workshop) -> None:
        _start(shop)
        layer = stroke(shop, SLOW)
        await _run_steps(shop)
        act(shop, layer)
        await _settle(shop)
        await _settle(shop)
        assert shop.layer(layer).rendered
        assert not _unfinished(shop)

    bench.run(work)


def test_undo_during_a_run_and_redo_after_it_was_stopped(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, taken = _start(shop)
        layer = stroke(shop, SLOW)
        await _run_steps(shop)
        shop.document.undo()
        shop.jobs.cancel_all()
        await _settle(shop)
        assert not taken
        shop.document.redo()
        await _settle(shop)
        assert shop.layer(layer).rendered

    bench.run(work)


def test_a_failure_during_the_next_stroke_waits_for_its_end(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, taken = _start(shop)
        before = shop.document.root
        stroke(shop, recipe(technique="broken"))
        sweep = Sweep(shop, recipe(), 60, 60, mode="extend")
        await shop.jobs.wait_until_idle()
        await asyncio.sleep(0.01)
        assert not taken, "history is left alone while a stroke is open"
        sweep.release()
        await _settle(shop)
        assert shop.document.root is before
        assert len(taken) == 1

    bench.run(work)


def test_with_live_off_layers_wait_for_run_and_run_when_it_is_on(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, taken = _start(shop)
        layer = stroke(shop, SLOW)
        await _run_steps(shop)
        shop.live.turn(False)
        await _settle(shop)
        assert ai.state_of(shop.layer(layer)) == "press Run"
        shop.live.turn(True)
        await _settle(shop)
        assert shop.layer(layer).rendered
        assert not taken

    bench.run(work)


def _painted(layer_recipe: Recipe) -> AiLayer:
    region = Tiles(channels=1)
    region.write(Rect(90, 90, 40, 40), np.full((40, 40, 1), 255, np.uint8))
    return AiLayer("from a file", recipe=layer_recipe, region=region.prune())


def test_a_layer_that_a_file_brought_runs_and_is_never_removed(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, taken = _start(shop)
        for one, runs in ((recipe(), True), (recipe(model="/nowhere/model"), False)):
            document = gradient()
            layer = _painted(one)
            document.insert("Open", layer)
            shop.studio.open(document)
            await _settle(shop)
            assert bool(shop.layer(layer.id).rendered) is runs
            assert bool(shop.jobs.recent and last_job(shop).layer == layer.id) is runs
        shop.jobs.enqueue(layer.id)
        await _settle(shop)
        assert shop.layer(layer.id)
        assert not taken

    bench.run(work)


def test_a_layer_without_a_result_cannot_be_frozen(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        ai, _ = _start(shop)
        stroke(shop, SLOW)
        with pytest.raises(EditorError, match="no result yet"):
            ai.freeze()

    bench.run(work)
