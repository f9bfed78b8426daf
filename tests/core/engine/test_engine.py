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
from tests.core.engine.conftest import Ask, Running, Served
from tests.core.engine.listening import done, failed, heard, wait


def test_a_run_gives_the_pixels_of_the_same_run_in_this_process(ask: Ask, served: Served) -> None:
    request = ask("layered-brush", seed=3, prompt="red", steps=6)

    async def work(engine: Engine) -> None:
        messages = await heard(engine.submit(request))
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
    run = render_layer(request, open_model("toy"))
    try:
        while True:
            next(run)
    except StopIteration as end:
        expected = end.value
    served(work)


def test_modifiers_reach_the_model(ask: Ask, served: Served) -> None:
    guided = (ModifierSetting("cfg", {"scale": 3.0}),)

    async def work(engine: Engine) -> None:
        one = done(await heard(engine.submit(ask("text-to-image", prompt="red", steps=3))))
        two = done(
            await heard(
                engine.submit(ask("text-to-image", prompt="red", steps=3, modifiers=guided))
            )
        )
        assert not np.array_equal(one.pixels, two.pixels)

    served(work)


def test_previews_of_large_crops_are_small_and_shaped_like_the_crop(
    ask: Ask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        messages = await heard(engine.submit(ask("slow", side=1200)))
        first = next(m for m in messages if isinstance(m, JobStep))
        assert first.preview is not None
        assert first.preview.shape == (512, 512, 3)
        assert done(messages).pixels.shape == (1200, 1200, 4)

    served(work)


def test_opening_tells_what_a_request_must_know(served: Served) -> None:
    async def work(engine: Engine) -> None:
        facts = await engine.open("toy")
        assert (facts.native, facts.multiple, facts.factor) == (128, 8, 8)
        assert facts.geometry.native == 128
        assert await engine.open("toy") is facts
        with pytest.raises(ModelError, match="no model called 'nothing'"):
            await engine.open("nothing")
        assert engine.state is EngineState.ready

    served(work)


def test_a_picture_is_put_into_words(served: Served) -> None:
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


def test_describing_waits_its_turn_and_stops_with_who_asked(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        run = engine.submit(ask("slow", steps=1000, pause=0.05))
        asked = asyncio.create_task(engine.describe(np.ones((8, 8, 3), np.uint8), "toy"))
        await asyncio.sleep(0.1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        run.cancel()
        assert isinstance((await heard(run))[-1], JobCancelled)
        assert engine.state is EngineState.ready

    served(work)


def test_a_bug_is_reported_with_its_trace_and_the_next_job_runs(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        failure = failed(await heard(engine.submit(ask("broken"))))
        assert failure.is_bug
        assert failure.text == "KeyError: 'missing'"
        assert "oddities.py" in failure.trace
        done(await heard(engine.submit(ask("slow"))))

    served(work)


@pytest.mark.parametrize(
    ("request_of", "sentence"),
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
    request_of: dict[str, Any], sentence: str, ask: Ask, served: Served
) -> None:
    async def work(engine: Engine) -> None:
        failure = failed(await heard(engine.submit(ask(**request_of))))
        assert sentence in failure.text
        assert not failure.is_bug
        assert "\n" not in failure.text

    served(work)


def test_prints_do_not_disturb_the_pipe(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        done(await heard(engine.submit(ask("printer"))))
        done(await heard(engine.submit(ask("printer"))))

    served(work)


def test_cancelling_stops_at_the_next_step(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        run = engine.submit(ask("slow", steps=1000, pause=0.05))
        async for message in run:
            if isinstance(message, JobStep):
                break
        began = time.monotonic()
        run.cancel()
        rest = await heard(run)
        assert isinstance(rest[-1], JobCancelled)
        assert len([m for m in rest if isinstance(m, JobStep)]) <= 1
        assert time.monotonic() - began < 1
        assert engine.state is EngineState.ready

    served(work)


def test_a_waiting_job_is_cancelled_without_starting(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        first = engine.submit(ask("slow", steps=20, pause=0.01))
        second = engine.submit(ask("broken"))
        second.cancel()
        assert await heard(second) == [JobCancelled(second.job)]
        done(await heard(first))

    served(work)


def test_a_job_stops_when_nobody_listens_any_more(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        listening = asyncio.create_task(heard(engine.submit(ask("slow", pause=0.05, steps=999))))
        await asyncio.sleep(0.2)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        done(await asyncio.wait_for(heard(engine.submit(ask("slow"))), 20))

    served(work)


def test_a_score_is_given_to_who_asks_and_costs_nobody_else(ask: Ask, served: Served) -> None:
    request = ask("sdedit", prompt="red", steps=3)

    async def work(engine: Engine) -> None:
        plain = done(await heard(engine.submit(request)))
        judged = done(await heard(engine.submit(request, "agreement")))
        assert "score" not in plain.facts
        assert isinstance(judged.facts["score"], float)
        assert np.array_equal(judged.pixels, plain.pixels)
        assert judged.facts["calls"] == plain.facts["calls"] == 2
        again = done(await heard(engine.submit(request, "agreement")))
        assert again.facts["score"] == judged.facts["score"]

    served(work)


def test_who_cannot_be_judged_has_no_score_and_no_failure(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        for request, verifier in (
            (ask("sdedit", prompt="", steps=3), "agreement"),
            (ask("sdedit", prompt="red", steps=3), "no-such"),
        ):
            assert done(await heard(engine.submit(request, verifier))).facts["score"] is None

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


def test_a_plugins_verifier_judges_in_the_worker(ask: Ask, running: Running) -> None:
    folders().plugins.mkdir(parents=True)
    (folders().plugins / "bright.py").write_text(BRIGHT)

    async def work() -> None:
        async with running() as engine:
            answer = done(await heard(engine.submit(ask("sdedit", steps=3), "bright")))
            assert isinstance(answer.facts["score"], float)
            count = ask("good-seed", prompt="red", verifier="bright", count=2, steps=2)
            done(await heard(engine.submit(count)))

    wait(work())


@pytest.mark.parametrize("another", ["job", "errand"])
def test_who_yields_stops_for_whatever_comes_next(another: str, ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        idle = engine.submit(ask("slow", steps=1000, pause=0.02), yields=True)
        async for message in idle:
            if isinstance(message, JobStep) and message.n == 2:
                break
        if another == "job":
            done(await heard(engine.submit(ask("slow", steps=2))))
        else:
            assert await engine.describe(np.ones((8, 8, 3), np.uint8), "toy") == "8 by 8"
        assert isinstance((await heard(idle))[-1], JobCancelled)

    served(work)


def test_who_yields_and_still_waits_is_never_begun(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        first = engine.submit(ask("slow", steps=5, pause=0.02))
        idle = engine.submit(ask("slow", steps=1000), yields=True)
        last = engine.submit(ask("slow", steps=2))
        assert [type(message) for message in await heard(idle)] == [JobCancelled]
        done(await heard(first))
        done(await heard(last))

    served(work)


def test_it_is_known_which_models_the_last_job_left_loaded(ask: Ask, served: Served) -> None:
    async def work(engine: Engine) -> None:
        await engine.open("toy")
        done(await heard(engine.submit(ask("slow", steps=2))))
        assert engine.at_hand == {"toy"}
        await engine.describe(np.ones((8, 8, 3), np.uint8), "toy")
        run = engine.submit(ask("slow", steps=100, pause=0.02))
        run.cancel()
        await heard(run)
        assert engine.at_hand == {"toy"}
        failed(await heard(engine.submit(ask("broken"))))
        assert not engine.at_hand, "who knows"
        done(await heard(engine.submit(ask("slow", steps=2))))
        assert engine.at_hand == {"toy"}
        run = engine.submit(ask("slow", steps=100, pause=0.02, model="missing/folder"))
        run.cancel()
        await heard(run)
        assert not engine.at_hand, "another may have taken its place"

    served(work)
