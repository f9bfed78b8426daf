"""The idle search: it finds and ranks seeds, changes nothing, ends, and stops at any input."""

import asyncio
import time
from collections.abc import Callable

import numpy as np
import pytest

from core.scoring.seed_search import MAX_SEEDS
from editor.ai_session.job import Stage
from tests.editor.ai_session.idle_desk import REST, IdleDesk, Play
from tests.editor.workshop import Sweep, gradient, recipe


def test_while_off_nothing_runs(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        await asyncio.sleep(5 * REST)
        assert not desk.idle.is_on
        assert not desk.runs
        assert not desk.texts

    play_idle(work)


def test_it_finds_and_ranks_seeds_ends_and_changes_nothing(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        layer = await desk.paint_layer()
        document = desk.shop.document
        document.saved = document.state
        before = document.state, len(document.history.done), desk.shop.pixels()
        desk.shop.jobs.results.clear()  # as after opening a file
        variants = await desk.search()
        assert document.state is before[0]
        assert len(document.history.done) == before[1]
        assert not document.is_modified
        assert (desk.shop.pixels() == before[2]).all()
        assert len(desk.shop.jobs.recent) == 1, "only the person's own job"
        scores = [one.seed_score.score for one in variants if one.seed_score]
        assert len(scores) == len(variants) == MAX_SEEDS + 1
        assert scores == sorted(scores), "the best is the last, and so the first thumbnail"
        own = next(one for one in variants if one.key == desk.shop.layer(layer).rendered)
        assert [one for one in variants if not one.is_found] == [own]
        assert "Looking for better seeds 3 of 8" in desk.texts
        await asyncio.sleep(3 * REST)
        assert len(desk.runs) == MAX_SEEDS + 1, "it has ended"

    play_idle(work)


def test_a_click_puts_exactly_what_was_found_on_the_canvas(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        layer = await desk.paint_layer()
        shop, entries = desk.shop, len(desk.shop.document.history.done)
        before, best = shop.pixels(), (await desk.search())[-1]
        found = shop.jobs.results.find(best.key, shop.layer(layer).position)
        assert found is not None
        desk.seeds.choose(best)
        await shop.jobs.wait_until_idle()
        job = shop.jobs.recent[0]
        assert (job.stage, job.is_from_cache, job.of) == (Stage.finished, True, 0)
        assert shop.layer(layer).tiles is found.tiles
        assert shop.layer(layer).recipe.seed == best.recipe.seed
        assert len(shop.document.history.done) == entries + 1
        chosen = shop.pixels()
        assert not (chosen == before).all()
        shop.jobs.results.clear()
        shop.jobs.enqueue(layer)
        await shop.jobs.wait_until_idle()
        assert (shop.pixels() == chosen).all(), "as a run of its own would have made it"
        shop.document.undo()
        assert (shop.pixels() == before).all()

    play_idle(work)


def test_choosing_one_does_not_begin_again(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        variants = await desk.search()
        desk.seeds.choose(variants[-1])
        await desk.shop.jobs.wait_until_idle()
        await asyncio.sleep(4 * REST)
        assert len(desk.runs) == MAX_SEEDS + 1
        assert not next(
            one for one in desk.seeds.variants() if one.key == variants[-1].key
        ).is_found

    play_idle(work)


def test_while_live_is_off_a_found_one_is_shown_all_the_same(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        layer = await desk.paint_layer()
        best = (await desk.search())[-1]
        desk.shop.live.turn(False)
        desk.seeds.choose(best)
        await desk.shop.jobs.wait_until_idle()
        assert desk.shop.layer(layer).rendered == best.key

    play_idle(work)


def test_a_stroke_stops_it_and_its_job_waits_for_one_step_at_most(play_idle: Play) -> None:
    pause = 0.3

    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer(technique="slow", steps=3, pause=pause)
        await desk.search_until_step()
        idle = desk.runs[-1]
        began = time.perf_counter()
        sweep = Sweep(desk.shop, recipe(), 60, 60)
        sweep.move(80, 60)
        assert idle.is_cancelled, "before the brush is lifted"
        assert not desk.idle.text
        sweep.release()
        await desk.wait_until(lambda: desk.shop.jobs.recent[0].n)
        assert time.perf_counter() - began < pause + 0.5
        await desk.shop.jobs.wait_until_idle()
        assert desk.shop.jobs.recent[0].stage is Stage.finished
        assert not any(one.is_found for one in desk.seeds.variants())

    play_idle(work)


def _paint_below(desk: IdleDesk) -> None:
    document = desk.shop.document
    below = document.root.children[0]
    with document.paint(below.id, "Stroke") as painting:
        painting.blend(np.full((9, 9), 255, np.uint8), 5, 5)


ACTIONS: dict[str, Callable[[IdleDesk], object]] = {
    "input": lambda desk: desk.idle.interrupt(),
    "a dial": lambda desk: desk.current_recipe.turn(
        desk.current_recipe.shown.with_params(strength=0.5), "strength"
    ),
    "a word": lambda desk: desk.current_recipe.write(
        desk.current_recipe.shown.with_params(prompt="blue")
    ),
    "ink": _paint_below,
    "a job": lambda desk: desk.shop.jobs.enqueue(desk.shop.document.state.active),
    "another layer": lambda desk: desk.shop.document.activate(
        desk.shop.document.root.children[0].id
    ),
    "undo": lambda desk: desk.shop.document.undo(),
    "another document": lambda desk: desk.shop.studio.open(gradient()),
    "switching it off": lambda desk: desk.idle.turn(False),
    "another verifier": lambda desk: desk.idle.choose("likeness"),
    "closing": lambda desk: desk.idle.close(),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_any_input_stops_it(action: str, play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer(technique="slow", steps=8, pause=0.06)
        run = await desk.search_until_step()
        ACTIONS[action](desk)
        assert run.is_cancelled
        await asyncio.sleep(0)
        desk.idle.close()
        await desk.wait_until(lambda: run.is_over)
        assert not desk.idle.text
        assert not any(one.seed_score for one in desk.seeds.variants())
        await desk.shop.jobs.wait_until_idle()

    play_idle(work)


def test_other_tasks_of_the_worker_come_first(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer(technique="slow", steps=8, pause=0.06)
        run = await desk.search_until_step()
        picture = np.ones((8, 8, 3), np.uint8)
        assert await desk.shop.engine.describe(picture, "toy") == "8 by 8"
        assert run.is_cancelled
        assert not any(one.seed_score for one in desk.seeds.variants())
        await desk.wait_until(lambda: len(desk.runs) > 1)

    play_idle(work)


def test_it_goes_on_where_it_was_stopped(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer(steps=20)
        desk.idle.turn(True)
        await desk.wait_until(lambda: "4 of" in desk.idle.text)
        desk.idle.interrupt()
        assert len([one for one in desk.seeds.variants() if one.is_found]) == 3
        await desk.wait_until(lambda: desk.idle.text)
        assert "4 of" in desk.idle.text

    play_idle(work)


def test_another_dial_is_another_search(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        first = await desk.search()
        desk.current_recipe.turn(desk.current_recipe.shown.with_params(strength=0.4), "strength")
        await desk.shop.jobs.wait_until_idle()
        second = await desk.search()
        old = {one.key for one in first if one.is_found}
        assert not old & {one.key for one in second}, "what nobody chose is removed"
        assert len([one for one in second if one.is_found]) == MAX_SEEDS

    play_idle(work)
