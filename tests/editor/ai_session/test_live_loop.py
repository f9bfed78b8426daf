"""When the live loop starts a job: at a pause, at the release, in a long stroke; and when not."""

import asyncio
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest

from core.ai.recipe_defaults import default_recipe
from core.paint.layers import AiLayer
from editor.ai_session.job import Stage
from editor.ai_session.live_loop import MAX_STROKE_SECONDS, pause_length
from tests.editor.workshop import Bench, Sweep, Workshop, recipe, stroke


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([], 0.25), ([0.2], 0.03), ([1.0, 0.2, 0.4], 0.06), ([60.0], 0.25), ([0.0], 0.0)],
)
def test_the_pause_follows_the_usual_run_time(seconds: list[float], expected: float) -> None:
    assert pause_length(deque(seconds)) == pytest.approx(expected)


def test_a_release_starts_one_job_at_once(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe())
        assert len(shop.jobs.recent) == 1
        await shop.jobs.wait_until_idle()
        await asyncio.sleep(0.5)
        assert len(shop.jobs.recent) == 1, "nothing is stale, nothing runs"

    bench.run(work)


def test_a_pause_within_a_stroke_shows_a_preview_and_the_release_costs_nothing(
    bench: Bench,
) -> None:
    async def work(shop: Workshop) -> None:
        await shop.engine.open("toy")
        shown: list[bool] = []
        shop.jobs.previewed.connect(lambda preview: shown.append(preview.tiles is not None))
        sweep = Sweep(shop, recipe(), 100, 100)
        sweep.move(120, 100, time=0.3)
        sweep.move(140, 100, time=0.6)
        assert not shop.jobs.recent, "there was no pause yet"
        await asyncio.sleep(1.0)
        assert len(shop.jobs.recent) == 1
        assert any(shown)
        assert not shop.document.history.done
        layer = sweep.release()
        await shop.jobs.wait_until_idle()
        assert shop.layer(layer).rendered
        assert shop.jobs.recent[0].is_from_cache or len(shop.jobs.recent) == 1
        assert len(shop.document.history.done) == 1
        assert not shown[-1], "the preview is taken away once the result is there"

    bench.run(work)


def test_a_long_stroke_starts_a_job_without_a_pause(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        await shop.engine.open("toy")
        loop = asyncio.get_running_loop()
        began = loop.time()
        sweep = Sweep(shop, recipe(), 60, 60)
        started_after = 0.0
        while not started_after and loop.time() - began < MAX_STROKE_SECONDS + 1:
            # Faster than the longest pause, so that there is never one.
            sweep.move(60 + 60 * (loop.time() - began), 60, time=loop.time())
            await asyncio.sleep(0.02)
            if shop.jobs.recent:
                started_after = loop.time() - began
        sweep.release()
        await shop.jobs.wait_until_idle()
        assert MAX_STROKE_SECONDS - 0.1 < started_after < MAX_STROKE_SECONDS + 0.7

    bench.run(work)


def test_a_stroke_taken_back_leaves_nothing(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        before = shop.document.state
        shown: list[bool] = []
        shop.jobs.previewed.connect(lambda preview: shown.append(preview.tiles is not None))
        sweep = Sweep(shop, recipe(technique="slow", steps=20, pause=0.02), 60, 60)
        sweep.move(90, 60, time=1)
        shop.live.note_stroke(shop.document.state.active)
        await asyncio.sleep(0.6)
        sweep.cancel()
        await shop.jobs.wait_until_idle()
        assert shop.document.state is before
        assert not shown or not shown[-1]

    bench.run(work)


def test_off_means_idle_within_a_step_and_no_strokes_run(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow", steps=50, pause=0.05))
        job = shop.jobs.recent[0]
        while job.n < 1:
            await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        shop.live.turn(False)
        await shop.jobs.wait_until_idle()
        assert asyncio.get_running_loop().time() - began < 0.3
        assert job.stage is Stage.cancelled
        stroke(shop, recipe(), 60, 60)
        await asyncio.sleep(0.5)
        assert shop.jobs.is_idle
        assert len(shop.jobs.recent) == 1

    bench.run(work)


def test_a_cancelled_layer_is_not_run_again_by_itself(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=50, pause=0.05))
        job = shop.jobs.recent[0]
        while job.n < 1:
            await asyncio.sleep(0.01)
        shop.jobs.cancel(job)
        await asyncio.sleep(1.0)
        assert len(shop.jobs.recent) == 1
        assert isinstance(shop.document.find(layer), AiLayer)

    bench.run(work)


def test_a_cancelled_change_of_a_layer_waits_for_the_person(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe())
        await shop.jobs.wait_until_idle()
        slow = recipe(technique="slow", steps=50, pause=0.05)
        shop.document.replace("Technique", replace(shop.layer(layer), recipe=slow))
        job = shop.jobs.enqueue(layer)
        while job.n < 1:
            await asyncio.sleep(0.01)
        shop.jobs.cancel(job)
        await shop.jobs.wait_until_idle()
        shop.document.emit_changed(shop.document.bounds)
        await asyncio.sleep(0.7)
        assert shop.jobs.recent[0] is job
        assert layer in shop.live.stale, "it is marked as stale and not run"

    bench.run(work)


def test_a_layer_whose_second_picture_is_gone_keeps_its_own(bench: Bench, tmp_path: Path) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe())
        await shop.jobs.wait_until_idle()
        node = shop.layer(layer)
        gone = default_recipe("morph", "toy", values={"picture": str(tmp_path / "gone.png")})
        shop.document.replace("Morph", replace(node, recipe=gone))
        count = len(shop.jobs.recent)
        shop.document.emit_changed(shop.document.bounds)
        await asyncio.sleep(0.7)
        assert len(shop.jobs.recent) == count
        assert layer not in shop.live.stale
        assert shop.layer(layer).tiles is node.tiles

    bench.run(work)
