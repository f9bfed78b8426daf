"""The engine owns the worker process: it sends tasks, passes messages on, restarts and retries.

    engine = Engine()
    engine.start()
    facts = await engine.open("storybook")
    task = make_layer_task(document, layer, facts.geometry)
    async for message in engine.submit(task):
        ...

Everything here runs on one event loop and never waits for the worker. A worker that dies or hangs
is replaced, and its job is tried again at the next retry, which a message announces.
"""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from core.engine.commands import CancelJob, DescribePicture, OpenModel, Ping, QueuedCommand, RunTask
from core.engine.job_stream import JobStream
from core.engine.messages import (
    JobCancelled,
    JobFailed,
    JobStarted,
    ModelOpened,
    PictureDescribed,
    Pong,
    WorkerMessage,
    WorkerReady,
)
from core.engine.retries import RETRIES, next_retry
from core.engine.worker_process import WorkerProcess
from core.errors import EditorError, ModelError
from core.signal import Signal

if TYPE_CHECKING:
    from core.ai.layer import LayerTask
    from core.engine.messages import Picture

T = TypeVar("T")


class EngineState(Enum):
    """What the worker is doing; the status bar shows it."""

    starting = "starting"
    ready = "ready"
    loading = "loading"
    busy = "busy"
    restarting = "restarting"
    stopped = "stopped"


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds: for a start, a message, a step, a load, a cancelled step.

    ``tick`` is the time between checks. Waiting is counted in ticks of the loop and not by the
    clock, so that the worker of a laptop that wakes from sleep is not ended as too slow.
    """

    tick: float = 0.5
    start: float = 120.0
    silence: float = 30.0
    step: float = 300.0
    load: float = 600.0
    cancel: float = 5.0


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is started with: its device, its cache in MB, its threads (0: chosen here)."""

    device: str = "auto"
    cache_mb: int = 256
    threads: int = 0


MAX_STARTS = 3
"""Workers that may die in a row before one has sent WorkerReady."""


class Engine:
    """Runs tasks in a child process, one at a time in the order given.

    ``changed`` is emitted with each new ``state``. ``models`` are the models opened so far, by the
    name they were opened with. ``loaded_models`` are those that the last job left in memory.
    ``worker`` is the first message of the running worker. To let the newest task win, the caller
    cancels the older one first.
    """

    def __init__(
        self,
        options: WorkerOptions | None = None,
        timeouts: Timeouts | None = None,
        modules: Sequence[str] = (),
    ) -> None:
        self.state = EngineState.stopped
        self.changed: Signal[EngineState] = Signal()
        self.models: dict[str, ModelOpened] = {}
        self.loaded_models: frozenset[str] = frozenset()
        self.worker: WorkerReady | None = None
        self.timeouts = timeouts or Timeouts()
        self.options = options or WorkerOptions()
        self._modules = [f"--load={name}" for name in modules]
        self._process: WorkerProcess | None = None
        self._queue: deque[JobStream] = deque()
        self._current: JobStream | None = None
        self._next_id = 1
        self._starts = 0
        self._open_pings = 0
        self._idle_ticks = 0
        self._clock: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the worker; call this inside the event loop. Returns at once."""
        if self._process is None:
            self._starts = 0
            self._launch(EngineState.starting)
            self._clock = asyncio.get_running_loop().call_later(self.timeouts.tick, self._tick)

    def configure(self, options: WorkerOptions) -> None:
        """Work with other options: a new worker takes over, and a running job begins again."""
        if options == self.options:
            return
        self.options = options
        process, self._process = self._process, None
        if process is None:
            return
        process.close()
        stream, self._current = self._current, None
        if stream is not None and stream.is_cancelled:
            stream.receive(JobCancelled(stream.job))
        elif stream is not None:
            self._queue.appendleft(stream.restart(stream.command.retry))
        self.models.clear()
        self._starts = 0
        self._launch(EngineState.restarting)
        self._advance()

    def submit(
        self, task: "LayerTask", verifier: str = "", is_preemptible: bool = False
    ) -> JobStream:
        """Queue a task; iterate over the stream for its messages.

        A verifier's score comes with the result. A preemptible job is cancelled by the next one.
        """
        # What JSON cannot hold must fail here, where the mistake is, and not in the writer thread.
        json.dumps(task.recipe.to_json())
        command = RunTask(self._take_id(), task, verifier=verifier)
        return self._enqueue(command, is_preemptible)

    async def open(self, model: str) -> ModelOpened:
        """Load a model ahead of its first task, and return what a task needs to know about it.

        Raises ModelError when it cannot be used.
        """
        if model in self.models:
            return self.models[model]
        stopped = f"Opening {model} was stopped."
        self.models[model] = await self._await_message(
            OpenModel(self._take_id(), model), ModelOpened, stopped
        )
        return self.models[model]

    async def describe(self, picture: "Picture", model: str) -> str:
        """Describe a picture (height x width x 3 uint8, 0..255) in words that suit a model.

        Empty when no describer is sure. Raises ModelError when there is no describer.
        """
        command, stopped = (
            DescribePicture(self._take_id(), model, picture),
            "Describing was stopped.",
        )
        return (await self._await_message(command, PictureDescribed, stopped)).text

    async def _await_message(
        self, command: OpenModel | DescribePicture, kind: type[T], stopped: str
    ) -> T:
        """Wait for a message of a kind. Raises ModelError, with ``stopped`` when none comes."""
        async for message in self._enqueue(command):
            if isinstance(message, kind):
                return message
            if isinstance(message, JobFailed) and not message.retry:
                raise ModelError(message.text) from (
                    RuntimeError(message.trace) if message.is_bug else None
                )
        raise ModelError(stopped)

    def cancel(self, job: int) -> None:
        """Stop a job at its next step, or before it starts; one that is over stays as it is."""
        for stream in self._queue:
            if stream.job == job:
                self._queue.remove(stream)
                stream.receive(JobCancelled(job))
                return
        current = self._current
        if current is not None and current.job == job and not current.is_cancelled:
            current.is_cancelled = True
            self._idle_ticks = 0
            if self._process is not None:
                self._process.send(CancelJob(job))

    def close(self) -> None:
        """End the worker; every job that is not over ends as cancelled."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        process, self._process = self._process, None
        if process is not None:
            process.close()
        streams = [*filter(None, [self._current]), *self._queue]
        self._current = None
        self._queue.clear()
        for stream in streams:
            stream.receive(JobCancelled(stream.job))
        self._set_state(EngineState.stopped)

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is no worker."""
        return self._process.pid if self._process else None

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _enqueue(self, command: QueuedCommand, is_preemptible: bool = False) -> JobStream:
        if self._process is None:
            raise EditorError("The worker is not running: start it again from the Jobs panel.")
        for older in [*self._queue, *filter(None, [self._current])]:
            if older.is_preemptible:
                self.cancel(older.job)
        stream = JobStream(command, self.cancel, is_preemptible)
        self._queue.append(stream)
        self._advance()
        return stream

    def _advance(self) -> None:
        """Send the next job if the worker has none."""
        if self._current is None and self._queue and self._process is not None:
            self._current = self._queue.popleft()
            self._idle_ticks = 0
            self._process.send(self._current.command)
        self._update_state()

    def _update_state(self) -> None:
        """Derive the state from the worker and the current job."""
        if self._process is None:
            self._set_state(EngineState.stopped)
        elif self.worker is not None:
            self._set_state(self._busy_state())

    def _busy_state(self) -> EngineState:
        if self._current is None:
            return EngineState.ready
        return EngineState.loading if self._current.is_loading else EngineState.busy

    def _set_state(self, state: EngineState) -> None:
        if state is not self.state:
            self.state = state
            self.changed.emit(state)

    def _launch(self, state: EngineState) -> None:
        self.worker = None
        self.loaded_models = frozenset()
        self._open_pings = 0
        self._idle_ticks = 0
        self._starts += 1
        options = self.options
        arguments = ["--device", options.device, "--cache-mb", str(options.cache_mb)]
        self._process = WorkerProcess(
            arguments + self._modules, self._on_message, self._on_worker_end, options.threads
        )
        self._set_state(state)

    def _on_message(self, process: WorkerProcess, message: WorkerMessage) -> None:
        if process is not self._process:
            return
        self._open_pings = 0
        if isinstance(message, WorkerReady):
            self.worker = message
            self._starts = 0
            self._update_state()
        elif not isinstance(message, Pong):
            self._deliver(message)

    def _deliver(self, message: WorkerMessage) -> None:
        stream = self._current
        if stream is None or isinstance(message, (WorkerReady, Pong)) or stream.job != message.job:
            return
        self._idle_ticks = 0
        stream.receive(message)
        if stream.is_over:
            self.loaded_models = stream.models_after(message, self.loaded_models)
            self._current = None
            self._advance()
        elif isinstance(message, JobStarted):
            self._update_state()

    def _on_worker_end(self, process: WorkerProcess, code: int) -> None:
        """The worker is gone: start another and give it the job at the next retry."""
        if process is not self._process:
            return
        trace = process.log_tail()
        stream, self._current = self._current, None
        if stream is not None:
            self._retry(stream, code, trace)
        if self._starts >= MAX_STARTS:
            self._give_up(trace)
            return
        self._launch(EngineState.restarting)
        self._advance()

    def _retry(self, stream: JobStream, code: int, trace: str) -> None:
        """Queue a job again that lost its worker, if there is a retry left."""
        if stream.is_cancelled:
            stream.receive(JobCancelled(stream.job))
            return
        if self.worker is None:
            self._queue.appendleft(stream)  # the worker died before it could read the job
            return
        text = f"The worker {stream.failure_reason or f'stopped (exit code {code})'}"
        retry = next_retry(stream.command.retry, self.worker.device)
        if retry is None:
            advice = "try a smaller region, fewer steps or another model"
            stream.receive(
                JobFailed(stream.job, f"{text} each time it was tried: {advice}.", trace)
            )
        else:
            stream.receive(JobFailed(stream.job, f"{text}.", trace, retry=RETRIES[retry].text))
            self._queue.appendleft(stream.restart(retry))

    def _give_up(self, trace: str) -> None:
        """No worker survives its start: fail every job that waits."""
        self._process = None
        waiting = list(self._queue)
        self._queue.clear()
        for stream in waiting:
            text = "The worker cannot start; run 'sfumato doctor' to see what is missing."
            stream.receive(JobFailed(stream.job, text, trace))
        self._set_state(EngineState.stopped)

    def _tick(self) -> None:
        """Check that the worker is alive and makes progress."""
        self._clock = asyncio.get_running_loop().call_later(self.timeouts.tick, self._tick)
        if self._process is None:
            return
        reason = self._find_stall()
        if reason:
            self._open_pings = self._idle_ticks = 0
            if self._current is not None:
                self._current.failure_reason = reason
            self._process.kill()
            return
        self._open_pings += 1
        self._idle_ticks += self._current is not None
        if self._open_pings == 1:
            self._process.send(Ping())

    def _find_stall(self) -> str:
        """Why the worker has to be replaced; empty when it works."""
        timeouts, tick = self.timeouts, self.timeouts.tick
        silence = timeouts.silence if self.worker else timeouts.start
        if self._open_pings * tick > silence:
            return "did not answer any more"
        stream = self._current
        if stream is None:
            return ""
        limit = timeouts.load if stream.is_loading else timeouts.step
        if stream.is_cancelled and not stream.is_loading:
            limit = timeouts.cancel
        return "made no progress" if self._idle_ticks * tick > limit else ""
