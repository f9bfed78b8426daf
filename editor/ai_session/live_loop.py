"""The live loop: strokes become questions, at a pause of the hand or when it lets go.

Nothing is polled. While the loop is off nothing runs that nobody asked for.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from statistics import median
from typing import TYPE_CHECKING

from core.errors import EditorError
from core.geometry import EMPTY, Rect
from core.paint.layers import AiLayer, walk
from editor.ai_session.layer_results import current_key, freeze_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.paint.document import Document
    from editor.ai_session.job import Job
    from editor.ai_session.job_queue import JobQueue
    from editor.studio import Studio

SHARE = 0.15
"""Of the usual run time: how long the hand must rest before the model is asked."""
LONGEST_GRACE = 0.25
FORCED = 2.0
"""Seconds of stroke without a question after which one is asked in any case."""
REST = 0.4
"""Seconds without a change after which stale layers are looked for."""
RUNS = 10
"""Runs that the usual run time is taken from."""


def grace(seconds: "deque[float]") -> float:
    """How long a pause must be, in seconds, given the last run times."""
    usual = median(seconds) if seconds else LONGEST_GRACE / SHARE
    return min(max(SHARE * usual, 0.0), LONGEST_GRACE)


class LiveLoop:
    """Give ``stroked`` to the tools; ``is_on`` says whether strokes run by themselves.

    ``stale`` are the layers that are known to show another input's picture.
    """

    def __init__(self, studio: "Studio", jobs: "JobQueue") -> None:
        self.studio = studio
        self.jobs = jobs
        self.is_on = True
        self.stale: set[str] = set()
        self._seconds: deque[float] = deque(maxlen=RUNS)
        self._layer = ""
        self._since: float | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._dirty = EMPTY
        self._leave: list[Callable[[], None]] = [
            studio.opened.connect(self._watch),
            jobs.result_shown.connect(self._on_result),
        ]
        self._unwatch: Callable[[], None] | None = None
        self._watch(studio.document)

    def turn(self, on: bool) -> None:
        """Off stops what runs at its next step."""
        self.is_on = on
        self._forget()
        if not on:
            self.jobs.cancel_all()

    def close(self) -> None:
        self._forget()
        for leave in (*self._leave, *filter(None, [self._unwatch])):
            leave()

    def note_stroke(self, layer_id: str) -> None:
        """A region was painted on: at the end of the stroke ask at once, within it at a pause."""
        if not self.is_on:
            return
        if self.studio.document.is_editing:
            self._on_moved(layer_id)
        else:
            self._fire(layer_id)

    # Within a stroke

    def _on_moved(self, layer_id: str) -> None:
        now = time.perf_counter()
        if self._since is None or layer_id != self._layer:
            self._layer, self._since = layer_id, now
        _stop(self._pause)
        wait = max(0.0, min(grace(self._seconds), self._since + FORCED - now))
        self._pause = asyncio.get_running_loop().call_later(wait, self._fire, layer_id)

    def _fire(self, layer_id: str) -> None:
        _stop(self._pause)
        self._pause, self._since = None, None
        self.jobs.ask(layer_id)

    def _on_result(self, job: "Job") -> None:
        self.stale.discard(job.layer)
        if job.final_ms is not None and not job.is_from_cache:
            self._seconds.append(job.final_ms / 1000)

    # What lies above

    def _watch(self, document: "Document") -> None:
        if self._unwatch is not None:
            self._unwatch()
        self._forget()
        self.stale.clear()
        self._unwatch = document.changed.connect(self._on_changed)

    def _on_changed(self, rect: Rect) -> None:
        document = self.studio.document
        if document.is_editing:
            self._on_painted(document)
        self._dirty = self._dirty | rect
        _stop(self._rest)
        # A document may be filled before the loop runs; what is stale then waits for a change.
        with suppress(RuntimeError):
            self._rest = asyncio.get_running_loop().call_later(REST, self._look)

    def _on_painted(self, document: "Document") -> None:
        if self._since is not None and document.state.active == self._layer:
            self._on_moved(self._layer)

    def _look(self) -> None:
        self._rest = None
        if self._dirty:
            asyncio.get_running_loop().create_task(self.refresh())

    async def refresh(self) -> None:
        """Find what is stale of what was touched, from the bottom; when live, run the lowest.

        Its result is a change too, so what lies above is looked at again.
        """
        document, dirty = self.studio.document, self._dirty
        if document.is_editing or not self.jobs.is_idle:
            self._later()
            return
        self._dirty = EMPTY
        for node in walk(document.root):
            if not isinstance(node, AiLayer) or not _may_be_stale(node, dirty):
                continue
            may_run = await self._look_at(node.id)
            if document is not self.studio.document:
                return
            if may_run and self.is_on:
                self._dirty = self._dirty | dirty
                self.jobs.ask(node.id, is_refresh=True)
                self._later()
                return

    async def _look_at(self, layer_id: str) -> bool:
        """Note whether a layer is stale; True when it should run by itself."""
        with suppress(EditorError):
            state, layer = freeze_layer(self.studio.document, layer_id)
            key = await self.jobs.run_in_thread(current_key, state, layer)
            if key != layer.rendered:
                self.stale.add(layer_id)
                failed = layer_id in self.jobs.failures
                return key not in self.jobs.declined and not failed
        self.stale.discard(layer_id)
        return False

    def _later(self) -> None:
        _stop(self._rest)
        self._rest = asyncio.get_running_loop().call_later(REST, self._look)

    def _forget(self) -> None:
        _stop(self._pause)
        _stop(self._rest)
        self._pause = self._rest = self._since = None
        self._dirty = EMPTY


def _may_be_stale(layer: AiLayer, dirty: Rect) -> bool:
    shown = layer.tiles.bounds.translate(*layer.position)
    return bool(layer.visible and not layer.baked and layer.rendered and shown & dirty)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
