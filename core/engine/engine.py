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

from core.engine.commands import Cancel, Describe, Errand, Job, Open, Ping
from core.engine.job_stream import Run
from core.engine.messages import (
    Cancelled,
    Described,
    Failed,
    Hello,
    Opened,
    Pong,
    Spoken,
    Started,
)
from core.engine.retries import LADDER, below
from core.engine.worker_process import Process
from core.errors import EditorError, ModelError
from core.signal import Signal

if TYPE_CHECKING:
    from core.ai.layer import Request
    from core.engine.messages import Picture

T = TypeVar("T")


class State(Enum):
    """What the worker is doing, in a word for the status bar."""

    starting = "starting"
    ready = "ready"
    loading = "loading"
    busy = "busy"
    restarting = "restarting"
    stopped = "stopped"


@dataclass(frozen=True)
class Patience:
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


BIRTHS = 3
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
        patience: Patience | None = None,
        modules: Sequence[str] = (),
    ) -> None:
        self.state = State.stopped
        self.changed: Signal[State] = Signal()
        self.models: dict[str, Opened] = {}
        self.at_hand: frozenset[str] = frozenset()
        self.hello: Hello | None = None
        self.patience = patience or Patience()
        self._arguments = ["--device", device, "--cache-mb", str(cache_mb)]
        self._arguments += [f"--load={name}" for name in modules]
        self._process: Process | None = None
        self._queue: deque[Run] = deque()
        self._current: Run | None = None
        self._next_id = 1
        self._births = 0
        self._unanswered = 0
        self._quiet = 0
        self._clock: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Bring up the worker; call this inside the event loop. Returns at once."""
        if self._process is None:
            self._births = 0
            self._launch(State.starting)
            self._clock = asyncio.get_running_loop().call_later(self.patience.tick, self._tick)

    def submit(self, request: "Request", verifier: str = "", yields: bool = False) -> Run:
        """Run a request after those before it; iterate over the result for its messages.

        A verifier's score comes with the answer. One that yields stops for whatever comes next.
        """
        # What JSON cannot hold must fail here, where the mistake is, and not on its way.
        json.dumps(request.recipe.to_json())
        return self._enqueue(Job(self._id(), request, verifier=verifier), yields)

    async def open(self, model: str) -> Opened:
        """Load a model ahead of its first request, and learn what a request must know of it.

        Raises ModelError when it cannot be used.
        """
        if model in self.models:
            return self.models[model]
        stopped = f"Opening {model} was stopped."
        self.models[model] = await self._answer(Open(self._id(), model), Opened, stopped)
        return self.models[model]

    async def describe(self, picture: "Picture", model: str) -> str:
        """What a picture (height x width x 3) shows, in words that suit a model.

        Empty when nobody is sure. Raises ModelError when nobody can say.
        """
        command, stopped = Describe(self._id(), model, picture), "Describing was stopped."
        return (await self._answer(command, Described, stopped)).text

    async def _answer(self, command: Open | Describe, kind: type[T], stopped: str) -> T:
        """The worker's one answer. Raises ModelError, with ``stopped`` when there is none."""
        async for message in self._enqueue(command):
            if isinstance(message, kind):
                return message
            if isinstance(message, Failed) and not message.retry:
                raise ModelError(message.text) from (
                    RuntimeError(message.trace) if message.is_bug else None
                )
        raise ModelError(stopped)

    def cancel(self, job: int) -> None:
        """Stop a job at its next step, or before it starts; one that is over stays as it is."""
        for run in self._queue:
            if run.job == job:
                self._queue.remove(run)
                run.hear(Cancelled(job))
                return
        run_now = self._current
        if run_now is not None and run_now.job == job and not run_now.is_cancelled:
            run_now.is_cancelled = True
            self._quiet = 0
            if self._process is not None:
                self._process.send(Cancel(job))

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
            run.hear(Cancelled(run.job))
        self._become(State.stopped)

    @property
    def pid(self) -> int | None:
        """The worker's process id, for those who look after the machine."""
        return self._process.pid if self._process else None

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _enqueue(self, command: Errand, yields: bool = False) -> Run:
        if self._process is None:
            raise EditorError("The worker is not running: start it again from the Jobs panel.")
        for older in [*self._queue, *filter(None, [self._current])]:
            if older.yields:
                self.cancel(older.job)
        run = Run(command, self.cancel, yields)
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
            self._become(State.stopped)
        elif self.hello is not None:
            self._become(self._working())

    def _working(self) -> State:
        if self._current is None:
            return State.ready
        return State.loading if self._current.is_loading else State.busy

    def _become(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self.changed.emit(state)

    def _launch(self, state: State) -> None:
        self.hello = None
        self.at_hand = frozenset()
        self._unanswered = 0
        self._quiet = 0
        self._births += 1
        self._process = Process(self._arguments, self._heard, self._ended)
        self._become(state)

    def _heard(self, process: Process, message: Spoken) -> None:
        if process is not self._process:
            return
        self._unanswered = 0
        if isinstance(message, Hello):
            self.hello = message
            self._births = 0
            self._settle()
        elif not isinstance(message, Pong):
            self._deliver(message)

    def _deliver(self, message: Spoken) -> None:
        run = self._current
        if run is None or isinstance(message, (Hello, Pong)) or run.job != message.job:
            return
        self._quiet = 0
        run.hear(message)
        if run.is_over:
            self.at_hand = run.left_loaded(message, self.at_hand)
            self._current = None
            self._advance()
        elif isinstance(message, Started):
            self._settle()

    def _ended(self, process: Process, code: int) -> None:
        """The worker is gone: begin another, and give it the job, one rung further down."""
        if process is not self._process:
            return
        trace = process.log_tail()
        run, self._current = self._current, None
        if run is not None:
            self._retry(run, code, trace)
        if self._births >= BIRTHS:
            self._give_up(trace)
            return
        self._launch(State.restarting)
        self._advance()

    def _retry(self, run: Run, code: int, trace: str) -> None:
        """Try a job again that lost its worker, if there is a rung left."""
        if run.is_cancelled:
            run.hear(Cancelled(run.job))
            return
        if self.hello is None:
            self._queue.appendleft(run)  # the worker died before it could look at the job
            return
        text = f"The worker {run.blame or f'stopped (exit code {code})'}"
        rung = below(run.command.rung, self.hello.device)
        if rung is None:
            advice = "try a smaller region, fewer steps or another model"
            run.hear(Failed(run.job, f"{text} each time it was tried: {advice}.", trace))
        else:
            run.hear(Failed(run.job, f"{text}.", trace, retry=LADDER[rung].text))
            self._queue.appendleft(run.again(rung))

    def _give_up(self, trace: str) -> None:
        """No worker survives its start: say so to everyone who waits."""
        self._process = None
        waiting = list(self._queue)
        self._queue.clear()
        for run in waiting:
            text = "The worker cannot start; run 'sfumato doctor' to see what is missing."
            run.hear(Failed(run.job, text, trace))
        self._become(State.stopped)

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
