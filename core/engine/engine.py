"""The engine owns the worker process: jobs in, messages out, restarts and retries in between.

    engine = Engine()
    engine.start()
    facts = await engine.open("storybook")
    request = request_for(document, layer, facts.geometry)
    async for message in engine.submit(request):
        ...

Everything here runs on one event loop and never waits for the worker. A worker that dies or hangs
is replaced, and its job is tried again further down the ladder; each retry is announced.
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
    """What the worker is doing, in a word for the status bar."""

    starting = "starting"
    ready = "ready"
    loading = "loading"
    busy = "busy"
    restarting = "restarting"
    stopped = "stopped"


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds: for a start, a sign of life, a step, a load, a cancelled step.

    ``tick`` is the time between looks. Waiting is counted in ticks of the loop and not by the
    clock, so that a laptop waking from sleep does not find its worker overdue.
    """

    tick: float = 0.5
    start: float = 120.0
    silence: float = 30.0
    step: float = 300.0
    load: float = 600.0
    cancel: float = 5.0


MAX_STARTS = 3
"""Workers that may die in a row before one has said hello."""


class Engine:
    """Runs requests in a child process, one at a time in the order given.

    ``state`` is for the status bar, ``changed`` says when it is another. ``models`` are the
    models opened so far, by the name asked for; ``at_hand`` those that the last job left loaded.
    Newest-wins is the caller's: cancel, then submit.
    """

    def __init__(
        self,
        device: str = "auto",
        cache_mb: int = 256,
        patience: Timeouts | None = None,
        modules: Sequence[str] = (),
    ) -> None:
        self.state = EngineState.stopped
        self.changed: Signal[EngineState] = Signal()
        self.models: dict[str, ModelOpened] = {}
        self.at_hand: frozenset[str] = frozenset()
        self.hello: WorkerReady | None = None
        self.patience = patience or Timeouts()
        self._arguments = ["--device", device, "--cache-mb", str(cache_mb)]
        self._arguments += [f"--load={name}" for name in modules]
        self._process: WorkerProcess | None = None
        self._queue: deque[JobStream] = deque()
        self._current: JobStream | None = None
        self._next_id = 1
        self._births = 0
        self._unanswered = 0
        self._quiet = 0
        self._clock: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Bring up the worker; call this inside the event loop. Returns at once."""
        if self._process is None:
            self._births = 0
            self._launch(EngineState.starting)
            self._clock = asyncio.get_running_loop().call_later(self.patience.tick, self._tick)

    def submit(self, request: "LayerTask", verifier: str = "", yields: bool = False) -> JobStream:
        """Run a request after those before it; iterate over the result for its messages.

        A verifier's score comes with the answer. One that yields stops for whatever comes next.
        """
        # What JSON cannot hold must fail here, where the mistake is, and not on its way.
        json.dumps(request.recipe.to_json())
        return self._enqueue(RunTask(self._id(), request, verifier=verifier), yields)

    async def open(self, model: str) -> ModelOpened:
        """Load a model ahead of its first request, and learn what a request must know of it.

        Raises ModelError when it cannot be used.
        """
        if model in self.models:
            return self.models[model]
        stopped = f"Opening {model} was stopped."
        self.models[model] = await self._answer(OpenModel(self._id(), model), ModelOpened, stopped)
        return self.models[model]

    async def describe(self, picture: "Picture", model: str) -> str:
        """What a picture (height x width x 3) shows, in words that suit a model.

        Empty when nobody is sure. Raises ModelError when nobody can say.
        """
        command, stopped = DescribePicture(self._id(), model, picture), "Describing was stopped."
        return (await self._answer(command, PictureDescribed, stopped)).text

    async def _answer(self, command: OpenModel | DescribePicture, kind: type[T], stopped: str) -> T:
        """The worker's one answer. Raises ModelError, with ``stopped`` when there is none."""
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
        for run in self._queue:
            if run.job == job:
                self._queue.remove(run)
                run.receive(JobCancelled(job))
                return
        run_now = self._current
        if run_now is not None and run_now.job == job and not run_now.is_cancelled:
            run_now.is_cancelled = True
            self._quiet = 0
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
        open_runs = [*filter(None, [self._current]), *self._queue]
        self._current = None
        self._queue.clear()
        for run in open_runs:
            run.receive(JobCancelled(run.job))
        self._become(EngineState.stopped)

    @property
    def pid(self) -> int | None:
        """The worker's process id, for those who look after the machine."""
        return self._process.pid if self._process else None

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _enqueue(self, command: QueuedCommand, yields: bool = False) -> JobStream:
        if self._process is None:
            raise EditorError("The worker is not running: start it again from the Jobs panel.")
        for older in [*self._queue, *filter(None, [self._current])]:
            if older.yields:
                self.cancel(older.job)
        run = JobStream(command, self.cancel, yields)
        self._queue.append(run)
        self._advance()
        return run

    def _advance(self) -> None:
        """Send the next job if the worker has none."""
        if self._current is None and self._queue and self._process is not None:
            self._current = self._queue.popleft()
            self._quiet = 0
            self._process.send(self._current.command)
        self._settle()

    def _settle(self) -> None:
        """The state that follows from what is going on."""
        if self._process is None:
            self._become(EngineState.stopped)
        elif self.hello is not None:
            self._become(self._busy_state())

    def _busy_state(self) -> EngineState:
        if self._current is None:
            return EngineState.ready
        return EngineState.loading if self._current.is_loading else EngineState.busy

    def _become(self, state: EngineState) -> None:
        if state is not self.state:
            self.state = state
            self.changed.emit(state)

    def _launch(self, state: EngineState) -> None:
        self.hello = None
        self.at_hand = frozenset()
        self._unanswered = 0
        self._quiet = 0
        self._births += 1
        self._process = WorkerProcess(self._arguments, self._on_message, self._on_worker_end)
        self._become(state)

    def _on_message(self, process: WorkerProcess, message: WorkerMessage) -> None:
        if process is not self._process:
            return
        self._unanswered = 0
        if isinstance(message, WorkerReady):
            self.hello = message
            self._births = 0
            self._settle()
        elif not isinstance(message, Pong):
            self._deliver(message)

    def _deliver(self, message: WorkerMessage) -> None:
        run = self._current
        if run is None or isinstance(message, (WorkerReady, Pong)) or run.job != message.job:
            return
        self._quiet = 0
        run.receive(message)
        if run.is_over:
            self.at_hand = run.models_after(message, self.at_hand)
            self._current = None
            self._advance()
        elif isinstance(message, JobStarted):
            self._settle()

    def _on_worker_end(self, process: WorkerProcess, code: int) -> None:
        """The worker is gone: begin another, and give it the job, one retry further down."""
        if process is not self._process:
            return
        trace = process.log_tail()
        run, self._current = self._current, None
        if run is not None:
            self._retry(run, code, trace)
        if self._births >= MAX_STARTS:
            self._give_up(trace)
            return
        self._launch(EngineState.restarting)
        self._advance()

    def _retry(self, run: JobStream, code: int, trace: str) -> None:
        """Try a job again that lost its worker, if there is a retry left."""
        if run.is_cancelled:
            run.receive(JobCancelled(run.job))
            return
        if self.hello is None:
            self._queue.appendleft(run)  # the worker died before it could look at the job
            return
        text = f"The worker {run.blame or f'stopped (exit code {code})'}"
        retry = next_retry(run.command.retry, self.hello.device)
        if retry is None:
            advice = "try a smaller region, fewer steps or another model"
            run.receive(JobFailed(run.job, f"{text} each time it was tried: {advice}.", trace))
        else:
            run.receive(JobFailed(run.job, f"{text}.", trace, retry=RETRIES[retry].text))
            self._queue.appendleft(run.restart(retry))

    def _give_up(self, trace: str) -> None:
        """No worker survives its start: say so to everyone who waits."""
        self._process = None
        waiting = list(self._queue)
        self._queue.clear()
        for run in waiting:
            text = "The worker cannot start; run 'sfumato doctor' to see what is missing."
            run.receive(JobFailed(run.job, text, trace))
        self._become(EngineState.stopped)

    def _tick(self) -> None:
        """Look whether the worker lives and moves."""
        self._clock = asyncio.get_running_loop().call_later(self.patience.tick, self._tick)
        if self._process is None:
            return
        reason = self._overdue()
        if reason:
            self._unanswered = self._quiet = 0
            if self._current is not None:
                self._current.blame = reason
            self._process.kill()
            return
        self._unanswered += 1
        self._quiet += self._current is not None
        if self._unanswered == 1:
            self._process.send(Ping())

    def _overdue(self) -> str:
        """Why the worker has to be replaced, or nothing."""
        patience, tick = self.patience, self.patience.tick
        silence = patience.silence if self.hello else patience.start
        if self._unanswered * tick > silence:
            return "did not answer any more"
        run = self._current
        if run is None:
            return ""
        limit = patience.load if run.is_loading else patience.step
        if run.is_cancelled and not run.is_loading:
            limit = patience.cancel
        return "made no progress" if self._quiet * tick > limit else ""
