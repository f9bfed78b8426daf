"""Jobs that need two models: what is loaded, noted, counted and unloaded again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.ai.render_layer import render_layer
from core.engine.commands import RunTask
from core.engine.engine import Engine
from core.engine.job_models import JobModels
from core.engine.messages import JobDone, JobStarted, JobStep, WorkerMessage
from core.engine.model_cache import ModelCache
from core.engine.run_job import JobRunner
from core.errors import Cancelled, ModelError
from core.models.opening import open_model
from core.task import ModifierSetting
from tests.core import relatives
from tests.core.engine.conftest import MakeTask, Running, Served
from tests.core.engine.streams import collect, done, failed, wait

catalog.load("techniques", "modifiers")
STEPS = 4
"""Of which the level of pure noise is not walked."""
LONG = " ".join(["a very red cat on a very blue hill"] * 9)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    one, two = relatives.folders(tmp_path_factory.mktemp("models"))
    return str(one), str(two)


@pytest.fixture
def blend(make_task: MakeTask, homes: tuple[str, str]) -> Callable[..., Any]:
    """A task to blend both models; ``second_model`` may be another one."""

    def task(**changes: Any) -> Any:
        values = {"model": homes[0], "second_model": homes[1], "prompt": "a cat", "steps": STEPS}
        return make_task("superdiff", **{**values, **changes})

    return task


def loaded(messages: list[Any]) -> list[str]:
    return [message.loading for message in messages if isinstance(message, JobStarted)]


def finished(task: Any, model: Any, models: Mapping[str, Any]) -> Any:
    run = render_layer(task, model, models)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def test_both_are_loaded_one_after_the_other_and_blended(
    blend: Callable[..., Any], homes: tuple[str, str], served: Served
) -> None:
    task = blend()
    one, two = (open_model(name) for name in homes)
    expected = finished(task, one, {"second_model": two})

    async def work(engine: Engine) -> None:
        messages = await collect(engine.submit(task))
        assert np.array_equal(done(messages).pixels, expected)
        assert loaded(messages) == [homes[0], homes[1], ""]
        facts = done(messages).facts
        assert facts["calls"] == 2 * (STEPS - 1)
        assert facts["model"] == "Storybook"
        again = await collect(engine.submit(task))
        assert loaded(again) == [""]
        alone = done(await collect(engine.submit(blend(second_model="")))).facts
        assert alone["model_hash"] == one.identity
        assert facts["model_hash"] != alone["model_hash"]
        assert facts["model_hash"] == done(again).facts["model_hash"]

    served(work)


def test_modifiers_reach_the_second_model(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    one, two = (open_model(name) for name in homes)
    models = JobModels(one, {"second_model": two})
    guided = models.wrap_others([ModifierSetting("cfg", {"scale": 3.0})])["second_model"]
    level, z = two.levels(4)[1], two.encode(np.zeros((64, 64, 3), np.float32))
    plain = two.denoiser("a cat")(z, level).eps
    assert not np.allclose(guided.denoiser("a cat")(z, level).eps, plain)


def test_what_the_second_model_did_not_read_is_told(
    blend: Callable[..., Any], served: Served
) -> None:
    async def work(engine: Engine) -> None:
        notes = done(await collect(engine.submit(blend(second_prompt=LONG)))).facts["notes"]
        assert len(notes) == 1
        assert "too long for Storybook" in notes[0]
        assert done(await collect(engine.submit(blend()))).facts["notes"] == []

    served(work)


def test_a_second_model_that_cannot_be_used_is_named(
    blend: Callable[..., Any], served: Served, tmp_path: Path
) -> None:
    async def work(engine: Engine) -> None:
        gone = failed(await collect(engine.submit(blend(second_model="/models/gone"))))
        assert gone.text.startswith("Second model: There is no model called '/models/gone'")
        foreign = failed(await collect(engine.submit(blend(second_model="toy"))))
        assert foreign.text.startswith("Toy (a Gaussian) cannot be blended with Storybook: it has")
        assert not gone.is_bug
        assert not foreign.is_bug
        done(await collect(engine.submit(blend())))

    served(work)


def test_out_of_memory_keeps_both(
    make_task: MakeTask, homes: tuple[str, str], running: Running, tmp_path: Path
) -> None:
    async def work() -> None:
        async with running() as engine:
            values = {"model": homes[0], "second": homes[1], "note": str(tmp_path / "note")}
            messages = await collect(engine.submit(make_task("greedy-pair", **values)))
            assert done(messages).facts["retries"] == ["again with empty caches"]
            assert loaded(messages) == [*homes, "", ""]

    wait(work())


def run_job(task: Any, cache: ModelCache, is_cancelled: Callable[[], bool]) -> list[WorkerMessage]:
    messages: list[WorkerMessage] = []
    JobRunner(RunTask(1, task), cache, messages.append, is_cancelled).run()
    return messages


def test_one_model_in_both_parts_is_loaded_once_and_counted_once(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    messages = run_job(blend(second_model=homes[0]), ModelCache("cpu"), lambda: False)
    assert loaded(messages) == [homes[0], ""]
    end = messages[-1]
    assert isinstance(end, JobDone)
    assert end.facts["calls"] == STEPS - 1
    alone = run_job(blend(second_prompt="a cat", second_model=""), ModelCache("cpu"), lambda: False)
    assert isinstance(alone[-1], JobDone)
    assert np.array_equal(end.pixels, alone[-1].pixels)
    assert end.facts["model_hash"] == alone[-1].facts["model_hash"]


def test_a_second_model_that_is_open_stays_open(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    cache = ModelCache("cpu", max_models=2)
    for name in (homes[1], "toy"):
        cache.open(name, "cpu")
    assert loaded(run_job(blend(), cache, lambda: False)) == [homes[0], ""]


def test_a_job_that_was_stopped_loads_no_second_model(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    cache = ModelCache("cpu")
    with pytest.raises(Cancelled):
        run_job(blend(), cache, lambda: (homes[0], "cpu") in cache)
    assert (homes[0], "cpu") in cache
    assert (homes[1], "cpu") not in cache


def test_a_stopped_blend_ends_at_its_next_step(blend: Callable[..., Any]) -> None:
    messages: list[WorkerMessage] = []
    run = JobRunner(
        RunTask(1, blend(steps=200)),
        ModelCache("cpu"),
        messages.append,
        lambda: len(steps(messages)) >= 2,
    )
    with pytest.raises(Cancelled):
        run.run()
    assert len(steps(messages)) == 2


def steps(messages: list[WorkerMessage]) -> list[WorkerMessage]:
    return [message for message in messages if isinstance(message, JobStep)]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that were loaded; each is a toy."""
    names: list[str] = []

    def load(name: str, device: str) -> Any:
        if name == "broken":
            raise ModelError("No.")
        names.append(name)
        return catalog.backends["toy"].load("toy")

    monkeypatch.setattr("core.models.opening.open_model", load)
    return names


def test_no_model_of_a_job_makes_room_for_another_of_it(opened: list[str]) -> None:
    cache = ModelCache("cpu", max_models=2)
    for name in ("second", "other"):
        cache.open(name, "cpu")
    for name in ("first", "second"):
        cache.open(name, "cpu", ["first", "second"])
    assert opened == ["second", "other", "first"]
    assert ("other", "cpu") not in cache
    for name in ("a", "b", "c"):
        cache.open(name, "cpu", ["a", "b", "c"])
    assert all((name, "cpu") in cache for name in ("a", "b", "c"))
    cache.open("next", "cpu")
    assert [name for name in "abc" if (name, "cpu") in cache] == ["c"]


def test_what_is_kept_when_memory_is_freed(opened: list[str]) -> None:
    cache = ModelCache("cpu", max_models=3)
    models = {name: cache.open(name, "cpu") for name in ("a", "b", "c")}
    for model in models.values():
        model.cache.put("key", 1)
    cache.free([("a", "cpu"), ("c", "cpu"), ("d", "cpu")])
    assert [name for name in "abc" if (name, "cpu") in cache] == ["a", "c"]
    assert "key" not in models["a"].cache
    cache.free()
    assert ("a", "cpu") not in cache
