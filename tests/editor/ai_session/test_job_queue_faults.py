"""Jobs that fail by the worker, the task or a file: the stroke is kept and the reason is shown."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.paint.layers import AiLayer
from core.paint.tiles import Tiles
from editor.ai_session.job import Stage
from tests.editor.workshop import Bench, Workshop, last_job, recipe, stroke, wait_until


@pytest.mark.parametrize("fault", ["killed-once", "stuck"])
def test_a_worker_that_dies_or_hangs_is_replaced_and_the_stroke_kept(
    bench: Bench, fault: str, tmp_path: Path
) -> None:
    async def work(shop: Workshop) -> None:
        notes: list[str] = []
        shop.jobs.noted.connect(notes.append)
        layer = stroke(shop, recipe(technique=fault, note=str(tmp_path / "note")))
        await shop.jobs.wait_until_idle()
        assert last_job(shop).stage is Stage.finished, last_job(shop).failure
        assert shop.layer(layer).rendered
        assert "your stroke was kept" in notes[0]
        assert len(shop.document.history.done) == 1

    bench.run(work)


def test_kill_9_of_the_worker_in_the_middle_of_a_job(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="slow", steps=10, pause=0.05))
        job = last_job(shop)
        await wait_until(lambda: job.n >= 2)
        assert shop.engine.pid is not None
        os.kill(shop.engine.pid, signal.SIGKILL)
        await shop.jobs.wait_until_idle()
        assert job.stage is Stage.finished, job.failure
        assert shop.layer(layer).rendered
        assert job.note.startswith("Worker restarted, your stroke was kept")

    bench.run(work)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"technique": "nonsense"}, "not numbers"),
        ({"technique": "broken"}, "stopped at an error"),
        ({"model": "/nowhere/at/all"}, "no such file or folder"),
        ({"model": "pickle"}, "pickle"),
        ({"strength": 7}, "between 0 and 1"),
    ],
)
def test_failures_are_one_sentence_and_change_nothing(
    bench: Bench, changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    if changes.get("model") == "pickle":
        checkpoint = tmp_path / "model.ckpt"
        checkpoint.write_bytes(b"\x80\x04.")
        changes = {"model": str(checkpoint)}

    async def work(shop: Workshop) -> None:
        before = shop.pixels()
        layer = stroke(shop, recipe(**changes))
        await shop.jobs.wait_until_idle()
        job = last_job(shop)
        assert job.stage is Stage.failed
        assert expected in shop.jobs.failures[layer].text
        assert "\n" not in shop.jobs.failures[layer].text
        assert (shop.pixels() == before).all()
        good = replace(shop.layer(layer), recipe=recipe())
        shop.document.replace("Fix", good)
        shop.jobs.enqueue(layer)
        await shop.jobs.wait_until_idle()
        assert last_job(shop).stage is Stage.finished, "the next one works"
        assert layer not in shop.jobs.failures

    bench.run(work)


def test_a_picture_that_is_gone_is_named_and_the_result_stays(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "sea.png"
    Image.new("RGB", (64, 64), "blue").save(path)

    async def work(shop: Workshop) -> None:
        layer = stroke(shop, recipe(technique="morph", picture=str(path)))
        await shop.jobs.wait_until_idle()
        assert last_job(shop).stage is Stage.finished, last_job(shop).failure
        shown = shop.pixels()
        path.unlink()
        again = shop.layer(layer).recipe.with_params(share=0.25)
        shop.document.replace("Share", replace(shop.layer(layer), recipe=again))
        shop.jobs.enqueue(layer)
        await shop.jobs.wait_until_idle()
        assert shop.jobs.failures[layer].text == f"Other picture: {path} does not exist."
        assert not shop.jobs.failures[layer].is_bug
        assert (shop.pixels() == shown).all()

    bench.run(work)


def test_a_layer_with_nothing_painted_says_what_to_do(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        shop.document.insert("New AI layer", AiLayer("empty", recipe=recipe()))
        shop.jobs.enqueue(shop.document.state.active)
        await shop.jobs.wait_until_idle()
        failure = last_job(shop).failure
        assert failure is not None
        assert "sweep the AI brush" in failure.text

    bench.run(work)


def test_a_region_off_the_canvas_says_so(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        region = Tiles.of(np.full((20, 20, 1), 255, np.uint8), 900, 900)
        shop.document.insert("AI", AiLayer("far", recipe=recipe(), region=region))
        shop.jobs.enqueue(shop.document.state.active)
        await shop.jobs.wait_until_idle()
        failure = last_job(shop).failure
        assert failure is not None
        assert "off the canvas" in failure.text

    bench.run(work)
