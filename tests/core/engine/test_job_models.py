"""Jobs that need two models: what is loaded, told, counted and put away again."""

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
from tests.core.engine.conftest import Ask, Running, Served
from tests.core.engine.listening import done, failed, heard, wait

catalog.load("techniques", "modifiers")
STEPS = 4
"""Of which the level of pure noise is not walked."""
LONG = " ".join(["a very red cat on a very blue hill"] * 9)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    one, two = relatives.folders(tmp_path_factory.mktemp("models"))
    return str(one), str(two)


@pytest.fixture
def blend(ask: Ask, homes: tuple[str, str]) -> Callable[..., Any]:
    """A request to blend both models; ``second_model`` may be another one."""

    def request(**changes: Any) -> Any:
        values = {"model": homes[0], "second_model": homes[1], "prompt": "a cat", "steps": STEPS}
        return ask("superdiff", **{**values, **changes})

    return request


def loaded(messages: list[Any]) -> list[str]:
    return [message.loading for message in messages if isinstance(message, JobStarted)]


def finished(request: Any, model: Any, models: Mapping[str, Any]) -> Any:
    run = render_layer(request, model, models)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def test_both_are_loaded_one_after_the_other_and_blended(
    blend: Callable[..., Any], homes: tuple[str, str], served: Served
) -> None:
    request = blend()
    one, two = (open_model(name) for name in homes)
    expected = finished(request, one, {"second_model": two})

    async def work(engine: Engine) -> None:
        messages = await heard(engine.submit(request))
        assert np.array_equal(done(messages).pixels, expected)
        assert loaded(messages) == [homes[0], homes[1], ""]
        facts = done(messages).facts
        assert facts["calls"] == 2 * (STEPS - 1)
        assert facts["model"] == "Storybook"
        again = await heard(engine.submit(request))
        assert loaded(again) == [""]
        alone = done(await heard(engine.submit(blend(second_model="")))).facts
        assert alone["model_hash"] == one.identity
        assert facts["model_hash"] != alone["model_hash"]
        assert facts["model_hash"] == done(again).facts["model_hash"]

    served(work)


def test_modifiers_reach_the_second_model(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    one, two = (open_model(name) for name in homes)
    cast = JobModels(one, {"second_model": two})
    guided = cast.wrap_others([ModifierSetting("cfg", {"scale": 3.0})])["second_model"]
    level, z = two.levels(4)[1], two.encode(np.zeros((64, 64, 3), np.float32))
    plain = two.denoiser("a cat")(z, level).eps
    assert not np.allclose(guided.denoiser("a cat")(z, level).eps, plain)


def test_what_the_second_model_did_not_read_is_told(
    blend: Callable[..., Any], served: Served
) -> None:
    async def work(engine: Engine) -> None:
        notes = done(await heard(engine.submit(blend(second_prompt=LONG)))).facts["notes"]
        assert len(notes) == 1
        assert "too long for Storybook" in notes[0]
        assert done(await heard(engine.submit(blend()))).facts["notes"] == []

    served(work)


def test_a_second_model_that_cannot_be_used_is_named(
    blend: Callable[..., Any], served: Served, tmp_path: Path
) -> None:
    async def work(engine: Engine) -> None:
        gone = failed(await heard(engine.submit(blend(second_model="/models/gone"))))
        assert gone.text.startswith("Second model: There is no model called '/models/gone'")
        foreign = failed(await heard(engine.submit(blend(second_model="toy"))))
        assert foreign.text.startswith("Toy (a Gaussian) cannot be blended with Storybook: it has")
        assert not gone.is_bug
        assert not foreign.is_bug
        done(await heard(engine.submit(blend())))

    served(work)


def test_out_of_memory_keeps_both(
    ask: Ask, homes: tuple[str, str], running: Running, tmp_path: Path
) -> None:
    async def work() -> None:
        async with running() as engine:
            values = {"model": homes[0], "second": homes[1], "note": str(tmp_path / "note")}
            messages = await heard(engine.submit(ask("greedy-pair", **values)))
            assert done(messages).facts["retries"] == ["again with empty caches"]
            assert loaded(messages) == [*homes, "", ""]

    wait(work())


def performed(
    request: Any, shelf: ModelCache, is_cancelled: Callable[[], bool]
) -> list[WorkerMessage]:
    said: list[WorkerMessage] = []
    JobRunner(RunTask(1, request), shelf, said.append, is_cancelled).run()
    return said


def test_one_model_in_both_parts_is_loaded_once_and_counted_once(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    said = performed(blend(second_model=homes[0]), ModelCache("cpu"), lambda: False)
    assert loaded(said) == [homes[0], ""]
    end = said[-1]
    assert isinstance(end, JobDone)
    assert end.facts["calls"] == STEPS - 1
    alone = performed(
        blend(second_prompt="a cat", second_model=""), ModelCache("cpu"), lambda: False
    )
    assert isinstance(alone[-1], JobDone)
    assert np.array_equal(end.pixels, alone[-1].pixels)
    assert end.facts["model_hash"] == alone[-1].facts["model_hash"]


def test_a_second_model_that_is_open_stays_open(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    shelf = ModelCache("cpu", most=2)
    for name in (homes[1], "toy"):
        shelf.open(name, "cpu")
    assert loaded(performed(blend(), shelf, lambda: False)) == [homes[0], ""]


def test_a_job_that_was_stopped_loads_no_second_model(
    blend: Callable[..., Any], homes: tuple[str, str]
) -> None:
    shelf = ModelCache("cpu")
    with pytest.raises(Cancelled):
        performed(blend(), shelf, lambda: (homes[0], "cpu") in shelf)
    assert (homes[0], "cpu") in shelf
    assert (homes[1], "cpu") not in shelf


def test_a_stopped_blend_ends_at_its_next_step(blend: Callable[..., Any]) -> None:
    seen: list[WorkerMessage] = []
    run = JobRunner(
        RunTask(1, blend(steps=200)), ModelCache("cpu"), seen.append, lambda: len(steps(seen)) >= 2
    )
    with pytest.raises(Cancelled):
        run.run()
    assert len(steps(seen)) == 2


def steps(said: list[WorkerMessage]) -> list[WorkerMessage]:
    return [message for message in said if isinstance(message, JobStep)]


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
    shelf = ModelCache("cpu", most=2)
    for name in ("second", "other"):
        shelf.open(name, "cpu")
    for name in ("first", "second"):
        shelf.open(name, "cpu", ["first", "second"])
    assert opened == ["second", "other", "first"]
    assert ("other", "cpu") not in shelf
    for name in ("a", "b", "c"):
        shelf.open(name, "cpu", ["a", "b", "c"])
    assert all((name, "cpu") in shelf for name in ("a", "b", "c"))
    shelf.open("next", "cpu")
    assert [name for name in "abc" if (name, "cpu") in shelf] == ["c"]


def test_what_is_kept_when_memory_is_freed(opened: list[str]) -> None:
    shelf = ModelCache("cpu", most=3)
    models = {name: shelf.open(name, "cpu") for name in ("a", "b", "c")}
    for model in models.values():
        model.cache.put("key", 1)
    shelf.free([("a", "cpu"), ("c", "cpu"), ("d", "cpu")])
    assert [name for name in "abc" if (name, "cpu") in shelf] == ["a", "c"]
    assert "key" not in models["a"].cache
    shelf.free()
    assert ("a", "cpu") not in shelf
