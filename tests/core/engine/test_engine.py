"""The engine and its worker in ordinary use: results, mistakes, cancellation."""

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.ai.render_layer import render_layer
from core.engine.engine import Engine, EngineState
from core.engine.messages import JobCancelled, JobStarted, JobStep
from core.errors import ModelError
from core.models.opening import open_model
from core.settings import folders
from core.task import ModifierSetting
from tests.core.engine.conftest import MakeTask, Running, Served
from tests.core.engine.streams import collect, done, failed, wait


def test_a_run_gives_the_pixels_of_the_same_run_in_this_process(
    make_task: MakeTask, served: Served
) -> None:
    task = make_task("layered-brush", seed=3, prompt="red", steps=6)

    async def work(engine: Engine) -> None:
        messages = await collect(engine.submit(task))
        steps = [m for m in messages if isinstance(m, JobStep)]
        assert isinstance(messages[0], JobStarted)
        assert [m.n for m in steps] == list(range(1, steps[0].of + 1))
        assert steps[0].preview is not None
        assert steps[0].preview.shape == (96, 96, 3)
        assert np.array_equal(done(messages).pixels, expected)
        facts = done(messages).facts
        assert facts["model_hash"] == "toy-1"
        assert facts["calls"] == steps[0].of
        assert facts["device"] == "cpu"
        assert facts["versions"]["torch"]
        assert 0 <= facts["load_seconds"] <= facts["seconds"]

    catalog.load("techniques")
    run = render_layer(task, open_model("toy"))
    try:
        while True:
            next(run)
    except StopIteration as end:
        expected = end.value
    served(work)


def test_modifiers_reach_the_model(make_task: MakeTask, served: Served) -> None:
    guided = (ModifierSetting("cfg", {"scale": 3.0}),)

    async def work(engine: Engine) -> None:
        one = done(await collect(engine.submit(make_task("text-to-image", prompt="red", steps=3))))
        two = done(
            await collect(
                engine.submit(make_task("text-to-image", prompt="red", steps=3, modifiers=guided))
            )
        )
        assert not np.array_equal(one.pixels, two.pixels)

    served(work)


def test_previews_of_large_crops_are_small_and_shaped_like_the_crop(
    make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        messages = await collect(engine.submit(make_task("slow", side=1200)))
        first = next(m for m in messages if isinstance(m, JobStep))
        assert first.preview is not None
        assert first.preview.shape == (512, 512, 3)
        assert done(messages).pixels.shape == (1200, 1200, 4)

    served(work)


def test_opening_gives_what_a_task_needs(served: Served) -> None:
    async def work(engine: Engine) -> None:
        facts = await engine.open("toy")
        assert (facts.native, facts.multiple, facts.factor) == (128, 8, 8)
        assert facts.geometry.native == 128
        assert await engine.open("toy") is facts
        with pytest.raises(ModelError, match="no model called 'nothing'"):
            await engine.open("nothing")
        assert engine.state is EngineState.ready

    served(work)


def test_a_picture_is_described(served: Served) -> None:
    grey, white = (np.full((30, 40, 3), value, np.uint8) for value in (90, 255))

    async def work(engine: Engine) -> None:
        assert await engine.describe(grey, "toy") == "40 by 30"
        assert await engine.describe(white, "toy") == ""
        with pytest.raises(ModelError, match="Put a BLIP folder into"):
            await engine.describe(grey, "another/model")
        with pytest.raises(ModelError, match="KeyError: 'black'"):
            await engine.describe(0 * grey, "toy")
        assert engine.state is EngineState.ready

    served(work)


def test_describing_waits_its_turn_and_stops_with_its_caller(
    make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        run = engine.submit(make_task("slow", steps=1000, pause=0.05))
        describing = asyncio.create_task(engine.describe(np.ones((8, 8, 3), np.uint8), "toy"))
        await asyncio.sleep(0.1)
        describing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await describing
        run.cancel()
        assert isinstance((await collect(run))[-1], JobCancelled)
        assert engine.state is EngineState.ready

    served(work)


def test_a_bug_is_reported_with_its_trace_and_the_next_job_runs(
    make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        failure = failed(await collect(engine.submit(make_task("broken"))))
        assert failure.is_bug
        assert failure.text == "KeyError: 'missing'"
        assert "oddities.py" in failure.trace
        done(await collect(engine.submit(make_task("slow"))))

    served(work)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"technique": "no-such"}, "no technique called 'no-such'"),
        ({"technique": "slow", "steps": 0}, "Steps must lie between 1 and 1000, not 0."),
        ({"technique": "slow", "model": "missing/folder"}, "no model called 'missing/folder'"),
        ({"technique": "nonsense"}, "not numbers"),
        (
            {"technique": "slow", "modifiers": (ModifierSetting("no-such"),)},
            "no modifier called 'no-such'",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    values: dict[str, Any], sentence: str, make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        failure = failed(await collect(engine.submit(make_task(**values))))
        assert sentence in failure.text
        assert not failure.is_bug
        assert "\n" not in failure.text

    served(work)


def test_prints_do_not_disturb_the_pipe(make_task: MakeTask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        done(await collect(engine.submit(make_task("printer"))))
        done(await collect(engine.submit(make_task("printer"))))

    served(work)


def test_cancelling_stops_at_the_next_step(make_task: MakeTask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        run = engine.submit(make_task("slow", steps=1000, pause=0.05))
        async for message in run:
            if isinstance(message, JobStep):
                break
        began = time.monotonic()
        run.cancel()
        rest = await collect(run)
        assert isinstance(rest[-1], JobCancelled)
        assert len([m for m in rest if isinstance(m, JobStep)]) <= 1
        assert time.monotonic() - began < 1
        assert engine.state is EngineState.ready

    served(work)


def test_a_waiting_job_is_cancelled_without_starting(make_task: MakeTask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        first = engine.submit(make_task("slow", steps=20, pause=0.01))
        second = engine.submit(make_task("broken"))
        second.cancel()
        assert await collect(second) == [JobCancelled(second.job)]
        done(await collect(first))

    served(work)


def test_a_job_stops_when_nobody_reads_its_stream_any_more(
    make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        reading = asyncio.create_task(
            collect(engine.submit(make_task("slow", pause=0.05, steps=999)))
        )
        await asyncio.sleep(0.2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        done(await asyncio.wait_for(collect(engine.submit(make_task("slow"))), 20))

    served(work)


def test_a_score_comes_with_a_verifier_and_changes_nothing_else(
    make_task: MakeTask, served: Served
) -> None:
    task = make_task("sdedit", prompt="red", steps=3)

    async def work(engine: Engine) -> None:
        plain = done(await collect(engine.submit(task)))
        judged = done(await collect(engine.submit(task, "agreement")))
        assert "score" not in plain.facts
        assert isinstance(judged.facts["score"], float)
        assert np.array_equal(judged.pixels, plain.pixels)
        assert judged.facts["calls"] == plain.facts["calls"] == 2
        again = done(await collect(engine.submit(task, "agreement")))
        assert again.facts["score"] == judged.facts["score"]

    served(work)


def test_what_cannot_be_scored_has_no_score_and_no_failure(
    make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        for task, verifier in (
            (make_task("sdedit", prompt="", steps=3), "agreement"),
            (make_task("sdedit", prompt="red", steps=3), "no-such"),
        ):
            assert done(await collect(engine.submit(task, verifier))).facts["score"] is None

    served(work)


BRIGHT = """
from core.catalog import verifiers

@verifiers.register
class Bright:
    id, label, claim, needs, needs_prompt = "bright", "Bright", "is bright", frozenset(), False

    @staticmethod
    def gain(score, than):
        return score - than

    def judge(self, case):
        return lambda x0: x0.flatten(1).mean(1)
"""


def test_a_plugins_verifier_judges_in_the_worker(make_task: MakeTask, running: Running) -> None:
    folders().plugins.mkdir(parents=True)
    (folders().plugins / "bright.py").write_text(BRIGHT)

    async def work() -> None:
        async with running() as engine:
            result = done(await collect(engine.submit(make_task("sdedit", steps=3), "bright")))
            assert isinstance(result.facts["score"], float)
            count = make_task("good-seed", prompt="red", verifier="bright", count=2, steps=2)
            done(await collect(engine.submit(count)))

    wait(work())


@pytest.mark.parametrize("another", ["job", "description"])
def test_a_preemptible_job_stops_for_the_next_command(
    another: str, make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        idle = engine.submit(make_task("slow", steps=1000, pause=0.02), is_preemptible=True)
        async for message in idle:
            if isinstance(message, JobStep) and message.n == 2:
                break
        if another == "job":
            done(await collect(engine.submit(make_task("slow", steps=2))))
        else:
            assert await engine.describe(np.ones((8, 8, 3), np.uint8), "toy") == "8 by 8"
        assert isinstance((await collect(idle))[-1], JobCancelled)

    served(work)


def test_a_preemptible_job_that_waits_is_never_started(make_task: MakeTask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        first = engine.submit(make_task("slow", steps=5, pause=0.02))
        idle = engine.submit(make_task("slow", steps=1000), is_preemptible=True)
        last = engine.submit(make_task("slow", steps=2))
        assert [type(message) for message in await collect(idle)] == [JobCancelled]
        done(await collect(first))
        done(await collect(last))

    served(work)


def test_it_is_known_which_models_the_last_job_left_loaded(
    make_task: MakeTask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        await engine.open("toy")
        done(await collect(engine.submit(make_task("slow", steps=2))))
        assert engine.loaded_models == {"toy"}
        await engine.describe(np.ones((8, 8, 3), np.uint8), "toy")
        run = engine.submit(make_task("slow", steps=100, pause=0.02))
        run.cancel()
        await collect(run)
        assert engine.loaded_models == {"toy"}
        failed(await collect(engine.submit(make_task("broken"))))
        assert not engine.loaded_models, "who knows"
        done(await collect(engine.submit(make_task("slow", steps=2))))
        assert engine.loaded_models == {"toy"}
        run = engine.submit(make_task("slow", steps=100, pause=0.02, model="missing/folder"))
        run.cancel()
        await collect(run)
        assert not engine.loaded_models, "another may have taken its place"

    served(work)
