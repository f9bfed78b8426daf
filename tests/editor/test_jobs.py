"""Jobs against a real worker: results, undo, newest wins, cancelling, refreshing, faults."""

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from core.geometry import Size
from core.layers import AiLayer, Layer
from core.pixels import Tiles
from editor.job import Job, Stage
from tests.editor.asking import Bench, Workshop, gradient, recipe, stroke

if TYPE_CHECKING:
    from core.pixels import Pixels


async def until(claim: Any, seconds: float = 20) -> None:
    """Wait until claim() holds."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it never came to be"
        await asyncio.sleep(0.005)


def _last(work: Workshop) -> Job:
    return work.jobs.recent[0]


def _paper(colour: tuple[int, int, int]) -> Tiles:
    return Tiles.of(np.full((256, 256, 4), (*colour, 255), np.uint8))


def test_a_stroke_becomes_pixels_in_its_region_and_nowhere_else(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        before = shop.pixels()
        layer = stroke(shop, recipe(strength=1.0))
        await shop.jobs.idle()
        assert _last(shop).stage is Stage.finished, _last(shop).failure
        after = shop.pixels()
        assert np.abs(after[128, 140].astype(int) - before[128, 140]).max() > 30
        alpha = shop.layer(layer).tiles.read(shop.document.bounds)[..., 3]
        assert (after[alpha == 0] == before[alpha == 0]).all()
        assert shop.layer(layer).recipe.model_hash == "toy-1"
        job = _last(shop)
        assert 0 < job.preview_ms <= job.final_ms  # type: ignore[operator]
        assert job.n == job.of == 4

    bench.run(work)


def test_stroke_and_result_are_one_undo_entry(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        before = shop.pixels()
        layer = stroke(shop, recipe())
        await shop.jobs.idle()
        after = shop.pixels()
        assert len(shop.document.history.done) == 1
        shop.document.undo()
        assert (shop.pixels() == before).all()
        assert not any(isinstance(n, AiLayer) for n in shop.document.root.children)
        shop.document.redo()
        assert (shop.pixels() == after).all()
        assert shop.layer(layer).rendered

    bench.run(work)


def test_a_result_does_not_land_in_the_middle_of_another_stroke(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe())
        shop.document.insert("New layer", Layer("ink"))
        ink = shop.document.state.active
        previews: list[Pixels | None] = []
        shop.jobs.previewed.connect(lambda preview: previews.append(preview.rgba))
        with shop.document.painting(ink, "Ink") as painting:
            painting.blend(np.full((9, 9), 255, np.uint8), 3, 3)
            await until(lambda: _last(shop).progress == 1)
            await asyncio.sleep(0.3)
            assert not shop.layer(layer).rendered
            assert previews[-1] is not None, "the result shows although it has not landed"
        await shop.jobs.idle()
        assert shop.layer(layer).rendered
        assert previews[-1] is None
        shop.document.undo()
        assert shop.layer(layer).rendered, "undoing the ink leaves the result"

    bench.run(work)


def test_the_newest_question_of_a_layer_wins(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=40, pause=0.05))
        first = _last(shop)
        await until(lambda: first.n >= 2)
        node = shop.layer(layer)
        shop.document.replace("Seed", replace(node, recipe=recipe(seed=9)))
        began = time.perf_counter()
        second = shop.jobs.ask(layer)
        third = shop.jobs.ask(layer)
        await shop.jobs.idle()
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
        first = _last(shop)
        await until(lambda: first.progress >= 0.7)
        shop.jobs.ask(layer)
        await shop.jobs.idle()
        assert first.stage is Stage.finished
        assert first.n == 10

    bench.run(work)


def test_a_layer_elsewhere_does_not_stop_what_runs(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow", steps=10, pause=0.05), 100, 100)
        first = _last(shop)
        await until(lambda: first.n >= 1)
        stroke(shop, recipe(), 1800, 1800)
        second = _last(shop)
        await shop.jobs.idle()
        assert first.stage is Stage.finished
        assert second.stage is Stage.finished

    bench.run(work, gradient(2048))


def test_cancel_leaves_the_state_as_it_was(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe())
        await shop.jobs.idle()
        slow = replace(shop.layer(layer), recipe=recipe(technique="slow", steps=50, pause=0.05))
        shop.document.replace("Technique", slow)
        state = shop.document.state
        job = shop.jobs.ask(layer)
        await until(lambda: job.n >= 1)
        began = time.perf_counter()
        shop.jobs.cancel(job)
        await shop.jobs.idle()
        assert time.perf_counter() - began < 0.5, "one step and no more"
        assert job.stage is Stage.cancelled
        assert shop.document.state is state
        again = shop.jobs.ask(layer)
        assert again.stage is not Stage.cancelled

    bench.run(work)


def test_the_same_question_costs_nothing_the_second_time(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(seed=1))
        await shop.jobs.idle()
        first = shop.pixels()
        for seed in (2, 1):
            node = shop.layer(layer)
            shop.document.replace("Seed", replace(node, recipe=recipe(seed=seed)))
            shop.jobs.ask(layer)
            await shop.jobs.idle()
        assert _last(shop).is_from_cache
        assert _last(shop).of == 0, "no step was run"
        assert (shop.pixels() == first).all()
        assert [t.recipe.seed for t in shop.jobs.results.tried(layer)] == [2, 1]

    bench.run(work)


def test_layers_above_that_overlap_are_refreshed_and_others_left(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        low = stroke(shop, recipe(strength=0.5), 200, 200)
        await shop.jobs.idle()
        high = stroke(shop, recipe(seed=5, strength=0.5), 220, 200)
        await shop.jobs.idle()
        far = stroke(shop, recipe(seed=6, strength=0.5), 900, 900)
        await shop.jobs.idle()
        rendered = [shop.layer(name).rendered for name in (low, high, far)]
        node = shop.layer(low)
        shop.document.replace("Seed", replace(node, recipe=recipe(seed=77, strength=0.5)))
        shop.jobs.ask(low)
        await until(lambda: shop.layer(high).rendered != rendered[1])
        await shop.jobs.idle()
        await asyncio.sleep(0.6)
        assert shop.layer(low).rendered != rendered[0]
        assert shop.layer(far).rendered == rendered[2]
        refreshed = [job.layer for job in shop.jobs.recent if job.is_refresh]
        assert refreshed == [high]
        shop.document.undo()
        assert shop.layer(high).rendered == rendered[1], "undo leads to what was seen"

    bench.run(work, gradient(1024))


@pytest.mark.parametrize("fault", ["killed-once", "stuck"])
def test_a_worker_that_dies_or_hangs_is_replaced_and_the_stroke_kept(
    bench: Bench, fault: str, tmp_path: Path
) -> None:
    async def work(shop: Workshop) -> None:
        said: list[str] = []
        shop.jobs.said.connect(said.append)
        layer = stroke(shop, recipe(technique=fault, note=str(tmp_path / "note")))
        await shop.jobs.idle()
        assert _last(shop).stage is Stage.finished, _last(shop).failure
        assert shop.layer(layer).rendered
        assert "your stroke was kept" in said[0]
        assert len(shop.document.history.done) == 1

    bench.run(work)


def test_kill_9_of_the_worker_in_the_middle_of_a_job(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=10, pause=0.05))
        job = _last(shop)
        await until(lambda: job.n >= 2)
        assert shop.engine.pid is not None
        os.kill(shop.engine.pid, signal.SIGKILL)
        await shop.jobs.idle()
        assert job.stage is Stage.finished, job.failure
        assert shop.layer(layer).rendered
        assert job.note.startswith("Worker restarted, your stroke was kept")

    bench.run(work)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"technique": "nonsense"}, "not numbers"),
        ({"technique": "broken"}, "stopped at an error"),
        ({"model": "/nowhere/at/all"}, "no such file or folder"),
        ({"model": "pickle"}, "pickle"),
        ({"strength": 7}, "between 0 and 1"),
    ],
)
def test_faults_are_told_in_one_sentence_and_change_nothing(
    bench: Bench, changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    if changes.get("model") == "pickle":
        checkpoint = tmp_path / "model.ckpt"
        checkpoint.write_bytes(b"\x80\x04.")
        changes = {"model": str(checkpoint)}

    async def work(shop: Workshop) -> None:
        before = shop.pixels()
        layer = stroke(shop, recipe(**changes))
        await shop.jobs.idle()
        job = _last(shop)
        assert job.stage is Stage.failed
        assert says in shop.jobs.failures[layer].text
        assert "\n" not in shop.jobs.failures[layer].text
        assert (shop.pixels() == before).all()
        good = replace(shop.layer(layer), recipe=recipe())
        shop.document.replace("Fix", good)
        shop.jobs.ask(layer)
        await shop.jobs.idle()
        assert _last(shop).stage is Stage.finished, "the next one works"
        assert layer not in shop.jobs.failures

    bench.run(work)


def test_a_picture_that_is_gone_is_named_and_the_result_stays(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "sea.png"
    Image.new("RGB", (64, 64), "blue").save(path)

    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="morph", picture=str(path)))
        await shop.jobs.idle()
        assert _last(shop).stage is Stage.finished, _last(shop).failure
        shown = shop.pixels()
        path.unlink()
        again = shop.layer(layer).recipe.with_params(share=0.25)
        shop.document.replace("Share", replace(shop.layer(layer), recipe=again))
        shop.jobs.ask(layer)
        await shop.jobs.idle()
        assert shop.jobs.failures[layer].text == f"Other picture: {path} does not exist."
        assert not shop.jobs.failures[layer].is_bug
        assert (shop.pixels() == shown).all()

    bench.run(work)


def test_a_layer_with_nothing_painted_says_what_to_do(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        shop.document.insert("New AI layer", AiLayer("empty", recipe=recipe()))
        shop.jobs.ask(shop.document.state.active)
        await shop.jobs.idle()
        failure = _last(shop).failure
        assert failure is not None
        assert "sweep the AI brush" in failure.text

    bench.run(work)


def test_a_region_off_the_canvas_says_so(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        region = Tiles.of(np.full((20, 20, 1), 255, np.uint8), 900, 900)
        shop.document.insert("AI", AiLayer("far", recipe=recipe(), region=region))
        shop.jobs.ask(shop.document.state.active)
        await shop.jobs.idle()
        failure = _last(shop).failure
        assert failure is not None
        assert "off the canvas" in failure.text

    bench.run(work)


def test_an_empty_prompt_runs(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(prompt=""))
        await shop.jobs.idle()
        assert shop.layer(layer).rendered

    bench.run(work)


def test_a_result_that_changes_nothing_is_noticed(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow"))
        await shop.jobs.idle()
        assert _last(shop).is_unchanged
        stroke(shop, recipe(strength=1.0))
        await shop.jobs.idle()
        assert not _last(shop).is_unchanged

    bench.run(work)


def test_a_result_for_another_region_does_not_land(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=6, pause=0.05))
        job = _last(shop)
        await until(lambda: job.n >= 1)
        with shop.document.painting(layer, "More", plane="region") as painting:
            painting.blend(np.full((30, 30), 255, np.uint8), 30, 30)
        await shop.jobs.idle()
        assert job.stage is Stage.overtaken
        assert not shop.layer(layer).rendered

    bench.run(work)


def test_opening_another_document_ends_the_jobs_of_this_one(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        stroke(shop, recipe(technique="slow", steps=50, pause=0.05))
        job = _last(shop)
        await until(lambda: job.n >= 1)
        other = gradient(64)
        state = other.state
        shop.studio.open(other)
        await shop.jobs.idle()
        assert job.stage is Stage.cancelled
        assert other.state is state

    bench.run(work)


def test_the_painting_thread_is_never_held_up_for_long(bench: Bench) -> None:
    """Largest pause of the loop while a 2048 px region of four layers is asked for and lands."""
    document = gradient(2048)
    for _ in range(3):
        document.insert("Layer", Layer("more", tiles=_paper((9, 9, 9))))
    region = Tiles.of(np.full((1900, 1900, 1), 255, np.uint8), 70, 70)
    layer = AiLayer("all", recipe=recipe(technique="slow"), region=region)
    document.insert("AI", layer)

    async def work(shop: Workshop) -> None:
        await shop.engine.open("toy")
        pauses: list[float] = []
        watch = asyncio.create_task(_watched(pauses))
        job = shop.jobs.ask(layer.id)
        await shop.jobs.idle()
        watch.cancel()
        assert job.stage is Stage.finished, job.failure
        assert document.size == Size(2048, 2048)
        assert max(pauses) < 0.05

    bench.run(work, document)


async def _watched(pauses: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        pauses.append(now - last)
        last = now
