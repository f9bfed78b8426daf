"""An engine with short timeouts that is always closed, and tasks for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from core.ai.layer import LayerTask
from core.engine.engine import Engine, Timeouts, WorkerOptions
from core.geometry import Rect
from core.task import Recipe

QUICK = Timeouts(tick=0.05, start=120, silence=10, step=10, load=120, cancel=5)
SIDE = 96

MakeTask = Callable[..., LayerTask]
Running = Callable[..., Any]
Work = Callable[[Engine], Coroutine[Any, Any, None]]
Served = Callable[[Work], None]


def _make_task(technique: str, seed: int = 0, side: int = SIDE, **params: Any) -> LayerTask:
    """A task that edits the middle of a gradient with the toy model."""
    modifiers = params.pop("modifiers", ())
    model = params.pop("model", "toy")
    y, x = np.mgrid[:side, :side] * 255 // side
    crop = np.stack([x, y, 255 - x], axis=2).astype(np.uint8)
    painted = np.zeros((side, side), np.uint8)
    middle = Rect(side // 3, side // 3, side // 3, side // 3)
    painted[middle.slices] = 255
    recipe = Recipe(technique, params, model, modifiers, seed)
    whole = Rect(0, 0, side, side)
    return LayerTask("layer", recipe, whole, middle, whole.size, crop, painted, "key")


@pytest.fixture
def make_task() -> MakeTask:
    return _make_task


@pytest.fixture
def running() -> Running:
    """``async with running() as engine``: closed at the end, whatever happens."""

    @asynccontextmanager
    async def run(timeouts: Timeouts = QUICK) -> AsyncIterator[Engine]:
        engine = await _started(timeouts)
        try:
            yield engine
        finally:
            engine.close()

    return run


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Runs a coroutine with the one engine of all tests in a file that leave it as it was."""
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("SFUMATO_HOME", str(tmp_path_factory.mktemp("home")))
        engine = runner.run(_started(QUICK))
        yield lambda work: runner.run(asyncio.wait_for(work(engine), 120))
        engine.close()


async def _started(timeouts: Timeouts) -> Engine:
    engine = Engine(
        WorkerOptions("cpu"), timeouts=timeouts, modules=("tests.core.engine.oddities",)
    )
    engine.start()
    return engine
