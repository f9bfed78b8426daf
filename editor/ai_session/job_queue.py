"""The queue of jobs: runs AI layers one after another and puts their results into the document.

Each job is one coroutine. The newest job of a layer replaces the one before; a running job that it
overlaps is stopped at its next step unless it is nearly done. Arithmetic that takes more than a few
milliseconds runs on a frozen state in another thread than the one that paints.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from core.ai.recipe_values import strength_of
from core.engine.engine import EngineState
from core.engine.messages import JobCancelled, JobDone, JobFailed, JobStarted, JobStep
from core.errors import EditorError
from core.geometry import EMPTY, Rect
from core.paint.layers import AiLayer, walk
from core.signal import Signal
from editor.ai_session.job import Failure, Job, Stage
from editor.ai_session.layer_results import (
    Result,
    TaskSnapshot,
    freeze_layer,
    make_result,
    show_result,
    take_snapshot,
)
from editor.ai_session.rerun_check import describe_rerun
from editor.ai_session.result_cache import ResultCache

if TYPE_CHECKING:
    from core.engine.engine import Engine
    from core.paint.tiles import Tiles
    from editor.studio import Studio

T = TypeVar("T")

NEARLY_DONE = 0.7
"""The share of its steps from which on a job may finish although a newer one waits."""
MAX_RECENT = 60
"""Most jobs in the list of the dock."""
GESTURE_POLL = 0.05
"""Seconds between checks whether the gesture on the canvas has ended."""


class JobPreview(NamedTuple):
    """Pixels to show in a layer's place over a canvas rectangle; None to take the preview away."""

    layer: str
    rect: Rect
    tiles: "Tiles | None"


class JobQueue:
    """Runs one job at a time.

    ``changed`` carries a job in another stage or step, ``previewed`` what to show on the canvas,
    ``result_shown`` the job whose result is now in its layer, ``noted`` a sentence for the
    status bar. ``declined`` holds the keys of tasks that the person cancelled or that failed.
    """

    def __init__(self, studio: "Studio", engine: "Engine") -> None:
        self.studio = studio
        self.engine = engine
        self.results = ResultCache()
        self.recent: deque[Job] = deque(maxlen=MAX_RECENT)
        self.failures: dict[str, Failure] = {}
        self.declined: set[str] = set()
        self.running: Job | None = None
        self.changed: Signal[Job] = Signal()
        self.previewed: Signal[JobPreview] = Signal()
        self.result_shown: Signal[Job] = Signal()
        self.noted: Signal[str] = Signal()
        self._waiting: OrderedDict[str, Job] = OrderedDict()
        self._snapshot: TaskSnapshot | None = None
        self._task: asyncio.Task[None] | None = None
        self._executor = ThreadPoolExecutor(1, "job-queue")
        self._is_closed = False
        studio.opened.connect(lambda _: self._on_document_opened())

    # Starting and stopping

    def enqueue(self, layer_id: str, is_refresh: bool = False, is_comparison: bool = False) -> Job:
        """Run a layer; returns at once. A comparison changes nothing and reports in its note."""
        job = Job(layer_id, self._layer_name(layer_id), is_refresh, is_comparison)
        if not is_refresh:
            self.failures.pop(layer_id, None)
        older = self._waiting.pop(layer_id, None)
        if older is not None:
            self._set_stage(older, Stage.overtaken)
        self._waiting[layer_id] = job
        self.recent.appendleft(job)
        self._stop_overlapped(job)
        self.changed.emit(job)
        self._advance()
        return job

    def cancel(self, job: Job) -> None:
        """Stop a job at its next step; the document stays as it was before it."""
        if self._waiting.get(job.layer) is job:
            del self._waiting[job.layer]
            self._set_stage(job, Stage.cancelled)
        elif job is self.running and not job.is_stopped:
            self._stop(job)
            if job.stream is None:
                self._set_stage(job, Stage.cancelled)

    def cancel_layer(self, layer_id: str) -> None:
        for job in [*self._waiting.values(), *filter(None, [self.running])]:
            if job.layer == layer_id:
                self.cancel(job)

    def cancel_all(self) -> None:
        for job in [*self._waiting.values(), *filter(None, [self.running])]:
            self.cancel(job)

    def current(self, layer_id: str) -> Job | None:
        """The job of a layer that waits or runs, if any."""
        if self.running is not None and self.running.layer == layer_id:
            return self._waiting.get(layer_id, self.running)
        return self._waiting.get(layer_id)

    @property
    def is_idle(self) -> bool:
        return self.running is None and not self._waiting

    async def wait_until_idle(self) -> None:
        """Wait until nothing runs or waits."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Stop everything; no result reaches the document any more."""
        self._is_closed = True
        self.cancel_all()
        if self._task is not None:
            self._task.cancel()
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def run_in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do arithmetic on frozen values in another thread than the one that paints."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, work, *arguments)

    # Who runs next

    def _stop_overlapped(self, job: Job) -> None:
        running = self.running
        if running is None or running.is_stopped or not self._is_overlapping(job, running):
            return
        if job.layer != running.layer and self._is_above(job.layer, running.layer):
            # It needs the other one's result.
            return
        # During a stroke a newer job always follows: let one preview come through.
        if self.studio.document.is_editing or running.progress >= NEARLY_DONE:
            return
        if job.is_refresh and not running.is_refresh:
            return
        running.stage = Stage.overtaken
        self._stop(running)

    def _is_overlapping(self, job: Job, running: Job) -> bool:
        if job.layer == running.layer:
            return True
        return bool(self._snapshot and self._region_rect(job.layer) & self._snapshot.task.rect)

    def _is_above(self, layer_id: str, other_id: str) -> bool:
        order = [node.id for node in walk(self.studio.document.root)]
        return other_id in order and layer_id in order[order.index(other_id) :]

    def _region_rect(self, layer_id: str) -> Rect:
        layer = _find_layer(self.studio.document, layer_id)
        return layer.region.bounds.translate(*layer.position) if layer else EMPTY

    def _stop(self, job: Job) -> None:
        job.is_stopped = True
        if job.stream is not None:
            job.stream.cancel()

    def _advance(self) -> None:
        if self._task is not None or not self._waiting or self._is_closed:
            return
        job = next(
            (job for job in self._waiting.values() if not job.is_refresh),
            next(iter(self._waiting.values())),
        )
        del self._waiting[job.layer]
        self.running = job
        self._task = asyncio.get_running_loop().create_task(self.run_layer(job))
        self._task.add_done_callback(self._on_finished)

    def _on_finished(self, task: "asyncio.Task[None]") -> None:
        job, self.running, self._task, self._snapshot = self.running, None, None, None
        if job is not None and not job.stage.is_over:
            self._set_stage(job, Stage.cancelled)
        elif job is not None:
            self.changed.emit(job)
        self._advance()
        if not task.cancelled():
            task.result()

    def _set_stage(self, job: Job, stage: Stage) -> None:
        if job.is_stopped and not stage.is_over:
            return
        job.stage = stage
        self.changed.emit(job)

    def _layer_name(self, layer_id: str) -> str:
        layer = _find_layer(self.studio.document, layer_id)
        return layer.name if layer else "AI layer"

    def _on_document_opened(self) -> None:
        self.cancel_all()
        self.results.clear()
        self.failures.clear()
        self.declined.clear()

    # One job

    async def run_layer(self, job: Job) -> None:
        """Run a layer's task in the engine and put the result into the layer."""
        document = self.studio.document
        if _find_layer(document, job.layer) is None:
            self._set_stage(job, Stage.cancelled)
            return
        try:
            snapshot = await self._take_snapshot(job)
            known = self.results.find(snapshot.task.key, snapshot.layer.position)
            if known is not None and not job.is_comparison:
                job.is_from_cache = True
                await self._deliver_result(job, snapshot, known)
            elif not job.is_stopped:
                await self._run_task(job, snapshot)
        except EditorError as error:
            cause = error.__cause__
            self._fail(job, Failure(str(error), str(cause or "")))
        finally:
            if not (document.is_editing and job.layer in self._waiting):
                self.previewed.emit(JobPreview(job.layer, EMPTY, None))
        if job.is_stopped and self.studio.document is document:
            self._on_stopped(job)

    async def _take_snapshot(self, job: Job) -> TaskSnapshot:
        _, layer = freeze_layer(self.studio.document, job.layer)
        job.model = layer.recipe.model
        if job.model not in self.engine.models:
            self._set_stage(job, Stage.loading)
        facts = await self.engine.open(job.model)
        job.model = facts.label
        state, layer = freeze_layer(self.studio.document, job.layer)
        self._snapshot = await self.run_in_thread(take_snapshot, state, layer, facts.geometry)
        self._set_stage(job, Stage.running)
        return self._snapshot

    async def _run_task(self, job: Job, snapshot: TaskSnapshot) -> None:
        job.stream = self.engine.submit(snapshot.task)
        async for message in job.stream:
            if isinstance(message, JobStarted):
                self._on_started(job, snapshot, message.loading)
            elif isinstance(message, JobStep):
                await self._on_step(job, snapshot, message)
            elif isinstance(message, JobFailed):
                self._on_failure(job, snapshot, message)
            elif isinstance(message, JobCancelled):
                job.is_stopped = True
            elif isinstance(message, JobDone):
                await self._on_done(job, snapshot, message)

    def _on_started(self, job: Job, snapshot: TaskSnapshot, loading: str) -> None:
        """Show that the worker runs the job, or loads one of its models first."""
        name = loading or snapshot.layer.recipe.model
        facts = self.engine.models.get(name)
        job.model = facts.label if facts else Path(name).stem
        self._set_stage(job, Stage.loading if loading else Stage.running)

    async def _on_done(self, job: Job, snapshot: TaskSnapshot, done: JobDone) -> None:
        if job.is_comparison:
            layer = snapshot.layer
            job.note = await self.run_in_thread(
                describe_rerun, layer, snapshot, done.pixels, done.facts
            )
            job.final_ms = job.age_ms
            self._set_stage(job, Stage.finished)
            self.noted.emit(job.note)
            return
        job.note = " ".join(done.facts.get("notes", [])) or job.note
        result = await self.run_in_thread(make_result, snapshot, done.pixels, done.facts)
        self.results.keep(job.layer, result)
        await self._deliver_result(job, snapshot, result)

    async def _on_step(self, job: Job, snapshot: TaskSnapshot, step: JobStep) -> None:
        job.n, job.of = step.n, step.of
        job.stage = job.stage if job.is_stopped else Stage.running
        if step.preview is not None and not job.is_stopped and not job.is_comparison:
            tiles = await self.run_in_thread(snapshot.preview, step.preview)
            self.previewed.emit(JobPreview(job.layer, snapshot.task.rect, tiles))
            job.preview_ms = job.preview_ms or job.age_ms
        self.changed.emit(job)

    def _on_failure(self, job: Job, snapshot: TaskSnapshot, message: JobFailed) -> None:
        if not message.retry:
            self.declined.add(snapshot.task.key)
            self._fail(job, _make_failure(message))
            return
        died = self.engine.state is EngineState.restarting
        what = "Worker restarted" if died else message.text.rstrip(".")
        job.note = f"{what}, your stroke was kept; trying {message.retry}."
        job.n = 0
        self.noted.emit(job.note)
        self.changed.emit(job)

    async def _deliver_result(self, job: Job, snapshot: TaskSnapshot, result: Result) -> None:
        """Preview the result until the gesture ends, then put it into the document."""
        document = self.studio.document
        job.is_unchanged = result.is_unchanged and strength_of(snapshot.task.recipe) > 0
        if document.is_editing:
            self.previewed.emit(JobPreview(job.layer, result.rect, result.tiles))
        while document.is_editing and job.layer not in self._waiting:
            await asyncio.sleep(GESTURE_POLL)
        if job.is_stopped or document is not self.studio.document:
            return
        if document.is_editing:
            self._set_stage(job, Stage.overtaken)
            return
        if show_result(document, snapshot.root, snapshot.layer, result):
            self.results.add_variant(job.layer, result)
            job.preview_ms = job.preview_ms or job.age_ms
            job.final_ms = job.age_ms
            self._set_stage(job, Stage.finished)
            self.result_shown.emit(job)
        else:
            self._set_stage(job, Stage.overtaken)

    def _fail(self, job: Job, failure: Failure) -> None:
        if job.is_stopped:
            return
        job.failure = failure
        self.failures[job.layer] = failure
        self._set_stage(job, Stage.failed)

    def _on_stopped(self, job: Job) -> None:
        if job.stage is not Stage.overtaken:
            if self._snapshot is not None:
                self.declined.add(self._snapshot.task.key)
            self._set_stage(job, Stage.cancelled)


def _make_failure(message: JobFailed) -> Failure:
    text = message.text
    if message.is_bug:
        text = f"The edit stopped at an error ({text}): try other settings, or see Details."
    return Failure(text, message.trace, message.is_bug)


def _find_layer(document: Any, layer_id: str) -> AiLayer | None:
    try:
        node = document.find(layer_id)
    except EditorError:
        return None
    return node if isinstance(node, AiLayer) else None
