"""A workshop for tests: a studio with a gradient, an engine with short timeouts, AI strokes."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import numpy as np

from core import catalog
from core.catalog import params_of
from core.engine.engine import Engine, Timeouts, WorkerOptions
from core.geometry import Size
from core.paint.document import Document
from core.paint.history import History
from core.paint.layers import AiLayer, Layer
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.paint.tiles import Pixels, Tiles
from core.params import from_json
from core.task import Recipe
from editor.ai_session.job import Job
from editor.ai_session.job_queue import JobQueue
from editor.ai_session.live_loop import LiveLoop
from editor.studio import Studio

SHORT_TIMEOUTS = Timeouts(tick=0.05, start=120, silence=5.0, step=3.0, load=120, cancel=2.0)
SIDE = 256


class Workshop(NamedTuple):
    """Everything between a stroke and its result."""

    studio: Studio
    engine: Engine
    jobs: JobQueue
    live: LiveLoop

    @property
    def document(self) -> Document:
        return self.studio.document

    def layer(self, layer_id: str) -> AiLayer:
        node = self.document.find(layer_id)
        assert isinstance(node, AiLayer)
        return node

    def pixels(self) -> Pixels:
        from core.paint.flatten import flatten

        return flatten(self.document.root, self.document.bounds)


def gradient(side: int = SIDE) -> Document:
    """An opaque gradient on one layer; nothing to undo."""
    y, x = np.mgrid[:side, :side] * 255 // side
    pixels = np.stack([x, y, 255 - x, np.full_like(x, 255)], axis=2).astype(np.uint8)
    document = Document(Size(side, side))
    document.insert("Open", Layer("gradient", tiles=Tiles.of(pixels)))
    document.history = History()
    return document


def recipe(seed: int = 1, technique: str = "sdedit", model: str = "toy", **params: Any) -> Recipe:
    return Recipe(technique, {"prompt": "red", "steps": 4, **params}, model, seed=seed)


def stroke(
    work: Workshop, brush_recipe: Recipe, x: float = 128, y: float = 128, length: float = 24
) -> str:
    """Sweep the AI brush from press to release; the id of the new layer."""
    sweep = Sweep(work, brush_recipe, x, y)
    sweep.move(x + length, y)
    return sweep.release()


async def wait_until(condition: Any, seconds: float = 20) -> None:
    """Wait until condition() holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        await asyncio.sleep(0.005)


def last_job(work: Workshop) -> Job:
    """The job that was started last."""
    return work.jobs.recent[0]


class Sweep:
    """A stroke of the AI brush that has begun and not ended."""

    def __init__(
        self, work: Workshop, brush_recipe: Recipe, x: float, y: float, mode: str = "new"
    ) -> None:
        catalog.load("tools", "brushes")
        self._work, self._at = work, (x, y)
        tool = catalog.tools["ai-brush"]
        params = from_json(params_of(tool), {"size": 48, "mode": mode})
        brush = work.studio.brush
        context = GestureContext(
            work.document, work.document.state.active, brush, params, recipe=brush_recipe
        )
        context.stroked = work.live.note_stroke
        self._gesture = tool().gesture(context, PointerEvent(PointerKind.press, x, y))
        next(self._gesture)

    def move(self, x: float, y: float, time: float = 0.0) -> None:
        self._at = (x, y)
        self._gesture.send(PointerEvent(PointerKind.move, x, y, time=time))

    def release(self) -> str:
        try:
            self._gesture.send(PointerEvent(PointerKind.release, *self._at))
        except StopIteration:
            return self._work.document.state.active
        raise AssertionError("the gesture did not end")

    def cancel(self) -> None:
        self._gesture.close()


class Bench:
    """One event loop and one worker for the tests of a module; each test gets its own studio."""

    def __init__(self, runner: asyncio.Runner) -> None:
        catalog.load()
        self._runner = runner
        self.engine = runner.run(_start_engine())

    def run(
        self,
        work: Callable[[Workshop], Coroutine[Any, Any, None]],
        document: Document | None = None,
    ) -> None:
        """Play one test to its end, within a minute."""
        self._runner.run(asyncio.wait_for(self._play(work, document or gradient()), 60))

    async def _play(
        self, work: Callable[[Workshop], Coroutine[Any, Any, None]], document: Document
    ) -> None:
        studio = Studio(document)
        jobs = JobQueue(studio, self.engine)
        live = LiveLoop(studio, jobs)
        try:
            await work(Workshop(studio, self.engine, jobs, live))
        finally:
            live.close()
            jobs.close()
            await asyncio.sleep(0)

    def close(self) -> None:
        self._runner.run(_close_engine(self.engine))


async def _start_engine() -> Engine:
    engine = Engine(
        WorkerOptions("cpu"), timeouts=SHORT_TIMEOUTS, modules=("tests.core.engine.oddities",)
    )
    engine.start()
    return engine


async def _close_engine(engine: Engine) -> None:
    engine.close()
