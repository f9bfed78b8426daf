"""Jobs with a real worker: results, undo, the newest wins, cancelling, refreshing."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.geometry import Size
from core.paint.layers import AiLayer, Layer
from core.paint.tiles import Tiles
from core.storybook.random_model import build_random
from editor.ai_session.job import Stage
from tests.editor.workshop import Bench, Workshop, gradient, last_job, recipe, stroke, wait_until


def _paper_tiles(colour: tuple[int, int, int]) -> Tiles:
    return Tiles.of(np.full((256, 256, 4), (*colour, 255), np.uint8))


def test_a_stroke_becomes_pixels_in_its_region_and_nowhere_else(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        before = shop.pixels()
        layer = stroke(shop, recipe(strength=1.0))
        await shop.jobs.wait_until_idle()
        assert last_job(shop).stage is Stage.finished, last_job(shop).failure
        after = shop.pixels()
        assert np.abs(after[128, 140].astype(int) - before[128, 140]).max() > 30
        alpha = shop.layer(layer).tiles.read(shop.document.bounds)[..., 3]
        assert (after[alpha == 0] == before[alpha == 0]).all()
        assert shop.layer(layer).recipe.model_hash == "toy-1"
        job = last_job(shop)
        assert 0 < job.preview_ms <= job.final_ms  # type: ignore[operator]
        assert job.n == job.of == 4

    bench.run(work)


def test_stroke_and_result_are_one_undo_entry(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        before = shop.pixels()
        layer = stroke(shop, recipe())
        await shop.jobs.wait_until_idle()
        after = shop.pixels()
        assert len(shop.document.history.done) == 1
        shop.document.undo()
        assert (shop.pixels() == before).all()
        assert not any(isinstance(n, AiLayer) for n in shop.document.root.children)
        shop.document.redo()
        assert (shop.pixels() == after).all()
        assert shop.layer(layer).rendered

    bench.run(work)


def test_a_result_waits_for_the_end_of_another_stroke(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe())
        shop.document.insert("New layer", Layer("ink"))
        ink = shop.document.state.active
        previews: list[Tiles | None] = []
        shop.jobs.previewed.connect(lambda preview: previews.append(preview.tiles))
        with shop.document.paint(ink, "Ink") as painting:
            painting.blend(np.full((9, 9), 255, np.uint8), 3, 3)
            await wait_until(lambda: last_job(shop).progress == 1)
            await asyncio.sleep(0.3)
            assert not shop.layer(layer).rendered
            assert previews[-1] is not None, "the result is previewed although the layer has none"
        await shop.jobs.wait_until_idle()
        assert shop.layer(layer).rendered
        assert previews[-1] is None
        shop.document.undo()
        assert shop.layer(layer).rendered, "undoing the ink leaves the result"

    bench.run(work)


def test_the_newest_job_of_a_layer_wins(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=40, pause=0.05))
        first = last_job(shop)
        await wait_until(lambda: first.n >= 2)
        node = shop.layer(layer)
        shop.document.replace("Seed", replace(node, recipe=recipe(seed=9)))
        began = time.perf_counter()
        second = shop.jobs.enqueue(layer)
        third = shop.jobs.enqueue(layer)
        await shop.jobs.wait_until_idle()
        assert first.stage is Stage.overtaken
        assert second.stage is Stage.overtaken
        assert third.stage is Stage.finished
        assert first.n < 10
        assert time.perf_counter() - began < 1.5, "the long one was not waited for"
        assert shop.layer(layer).recipe.seed == 9

    bench.run(work)


def test_a_job_that_is_nearly_done_may_finish_and_is_marked_stale(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=10, pause=0.05))
        first = last_job(shop)
        await wait_until(lambda: first.progress >= 0.7)
        shop.jobs.enqueue(layer)
        await shop.jobs.wait_until_idle()
        assert first.stage is Stage.finished
        assert first.n == 10

    bench.run(work)


def test_a_layer_elsewhere_does_not_stop_what_runs(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow", steps=10, pause=0.05), 100, 100)
        first = last_job(shop)
        await wait_until(lambda: first.n >= 1)
        stroke(shop, recipe(), 1800, 1800)
        second = last_job(shop)
        await shop.jobs.wait_until_idle()
        assert first.stage is Stage.finished
        assert second.stage is Stage.finished

    bench.run(work, gradient(2048))


def test_cancel_leaves_the_state_as_it_was(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe())
        await shop.jobs.wait_until_idle()
        slow = replace(shop.layer(layer), recipe=recipe(technique="slow", steps=50, pause=0.05))
        shop.document.replace("Technique", slow)
        state = shop.document.state
        job = shop.jobs.enqueue(layer)
        await wait_until(lambda: job.n >= 1)
        began = time.perf_counter()
        shop.jobs.cancel(job)
        await shop.jobs.wait_until_idle()
        assert time.perf_counter() - began < 0.5, "one step and no more"
        assert job.stage is Stage.cancelled
        assert shop.document.state is state
        again = shop.jobs.enqueue(layer)
        assert again.stage is not Stage.cancelled

    bench.run(work)


def test_the_same_task_costs_nothing_the_second_time(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(seed=1))
        await shop.jobs.wait_until_idle()
        first = shop.pixels()
        for seed in (2, 1):
            node = shop.layer(layer)
            shop.document.replace("Seed", replace(node, recipe=recipe(seed=seed)))
            shop.jobs.enqueue(layer)
            await shop.jobs.wait_until_idle()
        assert last_job(shop).is_from_cache
        assert last_job(shop).of == 0, "no step was run"
        assert (shop.pixels() == first).all()
        assert [t.recipe.seed for t in shop.jobs.results.variants(layer)] == [2, 1]

    bench.run(work)


def test_layers_above_that_overlap_are_refreshed_and_others_left(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        low = stroke(shop, recipe(strength=0.5), 200, 200)
        await shop.jobs.wait_until_idle()
        high = stroke(shop, recipe(seed=5, strength=0.5), 220, 200)
        await shop.jobs.wait_until_idle()
        far = stroke(shop, recipe(seed=6, strength=0.5), 900, 900)
        await shop.jobs.wait_until_idle()
        rendered = [shop.layer(name).rendered for name in (low, high, far)]
        node = shop.layer(low)
        shop.document.replace("Seed", replace(node, recipe=recipe(seed=77, strength=0.5)))
        shop.jobs.enqueue(low)
        await wait_until(lambda: shop.layer(high).rendered != rendered[1])
        await shop.jobs.wait_until_idle()
        await asyncio.sleep(0.6)
        assert shop.layer(low).rendered != rendered[0]
        assert shop.layer(far).rendered == rendered[2]
        refreshed = [job.layer for job in shop.jobs.recent if job.is_refresh]
        assert refreshed == [high]
        shop.document.undo()
        assert shop.layer(high).rendered == rendered[1], "undo leads to the picture before"

    bench.run(work, gradient(1024))


def test_an_empty_prompt_runs(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(prompt=""))
        await shop.jobs.wait_until_idle()
        assert shop.layer(layer).rendered

    bench.run(work)


def test_a_result_that_changes_nothing_is_noticed(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow"))
        await shop.jobs.wait_until_idle()
        assert last_job(shop).is_unchanged
        stroke(shop, recipe(strength=1.0))
        await shop.jobs.wait_until_idle()
        assert not last_job(shop).is_unchanged

    bench.run(work)


def test_a_result_for_another_region_is_dropped(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=6, pause=0.05))
        job = last_job(shop)
        await wait_until(lambda: job.n >= 1)
        with shop.document.paint(layer, "More", plane="region") as painting:
            painting.blend(np.full((30, 30), 255, np.uint8), 30, 30)
        await shop.jobs.wait_until_idle()
        assert job.stage is Stage.overtaken
        assert not shop.layer(layer).rendered

    bench.run(work)


def test_opening_another_document_ends_the_jobs_of_this_one(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow", steps=50, pause=0.05))
        job = last_job(shop)
        await wait_until(lambda: job.n >= 1)
        other = gradient(64)
        state = other.state
        shop.studio.open(other)
        await shop.jobs.wait_until_idle()
        assert job.stage is Stage.cancelled
        assert other.state is state

    bench.run(work)


def test_the_painting_thread_is_never_held_up_for_long(bench: Bench) -> None:
    """Largest pause of the loop while a 2048 px region of four layers is run and delivered."""
    document = gradient(2048)
    for _ in range(3):
        document.insert("Layer", Layer("more", tiles=_paper_tiles((9, 9, 9))))
    region = Tiles.of(np.full((1900, 1900, 1), 255, np.uint8), 70, 70)
    layer = AiLayer("all", recipe=recipe(technique="slow"), region=region)
    document.insert("AI", layer)

    async def work(shop: Workshop) -> None:
        await shop.engine.open("toy")
        pauses: list[float] = []
        watch = asyncio.create_task(_watch_pauses(pauses))
        job = shop.jobs.enqueue(layer.id)
        await shop.jobs.wait_until_idle()
        watch.cancel()
        assert job.stage is Stage.finished, job.failure
        assert document.size == Size(2048, 2048)
        assert max(pauses) < 0.05

    bench.run(work, document)


async def _watch_pauses(pauses: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        pauses.append(now - last)
        last = now


def test_while_the_second_model_loads_its_name_is_shown(bench: Bench, tmp_path: Path) -> None:
    other = build_random(tmp_path / "oil")

    async def work(shop: Workshop) -> None:
        stages: list[tuple[Stage, str]] = []
        shop.jobs.changed.connect(lambda job: stages.append((job.stage, job.model)))
        stroke(shop, recipe(technique="superdiff", second_model=str(other)))
        await shop.jobs.wait_until_idle()
        at = stages.index((Stage.loading, "oil"))
        assert (Stage.running, "Toy (a Gaussian)") in stages[at:]
        failure = last_job(shop).failure
        assert failure is not None
        assert failure.text.startswith("Storybook cannot be blended with Toy (a Gaussian)")

    bench.run(work)
