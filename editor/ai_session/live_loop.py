"""The live loop: runs AI layers by itself at a pause or the end of a stroke, and stale ones later.

Nothing is polled. While the loop is off, only what the person starts runs.
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
from core.signal import Signal
from editor.ai_session.layer_results import find_stale_key, freeze_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.paint.document import Document
    from editor.ai_session.job import Job
    from editor.ai_session.job_queue import JobQueue
    from editor.studio import Studio

PAUSE_SHARE = 0.15
"""Length of the pause in a stroke that starts a job, as a share of the usual run time."""
MAX_PAUSE = 0.25
"""Seconds after which any pause starts a job."""
MAX_STROKE_SECONDS = 2.0
"""Seconds of a stroke without a pause after which a job starts in any case."""
REST_SECONDS = 0.4
"""Seconds without a change after which layers are checked for being stale."""
MAX_RUN_TIMES = 10
"""Runs whose median is the usual run time."""


def pause_length(run_times: "deque[float]") -> float:
    """How long a pause must be, in seconds, given the last run times in seconds."""
    usual = median(run_times) if run_times else MAX_PAUSE / PAUSE_SHARE
    return min(max(PAUSE_SHARE * usual, 0.0), MAX_PAUSE)


class LiveLoop:
    """Runs layers while the person paints; ``is_on``: whether strokes run by themselves.

    ``turned`` says that it was switched, and to what.
    ``stale`` are the ids of layers whose result was made from another input than they have now.
    """

    def __init__(self, studio: "Studio", jobs: "JobQueue") -> None:
        self.studio = studio
        self.jobs = jobs
        self.is_on = True
        self.turned: Signal[bool] = Signal()
        self.stale: set[str] = set()
        self._run_times: deque[float] = deque(maxlen=MAX_RUN_TIMES)
        self._layer_id = ""
        self._stroke_start: float | None = None
        self._pause_timer: asyncio.TimerHandle | None = None
        self._rest_timer: asyncio.TimerHandle | None = None
        self._dirty = EMPTY
        self._disconnect: list[Callable[[], None]] = [
            studio.opened.connect(self._connect_document),
            jobs.result_shown.connect(self._on_result),
        ]
        self._disconnect_document: Callable[[], None] | None = None
        self._connect_document(studio.document)

    def turn(self, on: bool) -> None:
        """Switch the loop; off stops what runs at its next step."""
        self.is_on = on
        self._stop_timers()
        if not on:
            self.jobs.cancel_all()
        self.turned.emit(on)

    def close(self) -> None:
        self._stop_timers()
        for disconnect in (*self._disconnect, *filter(None, [self._disconnect_document])):
            disconnect()

    def note_stroke(self, layer_id: str) -> None:
        """Note that a region was painted: run at once after a stroke, within it at a pause."""
        if not self.is_on:
            return
        if self.studio.document.is_editing:
            self._restart_pause(layer_id)
        else:
            self._enqueue(layer_id)

    # Within a stroke

    def _restart_pause(self, layer_id: str) -> None:
        now = time.perf_counter()
        if self._stroke_start is None or layer_id != self._layer_id:
            self._layer_id, self._stroke_start = layer_id, now
        _cancel_timer(self._pause_timer)
        wait = max(
            0.0, min(pause_length(self._run_times), self._stroke_start + MAX_STROKE_SECONDS - now)
        )
        self._pause_timer = asyncio.get_running_loop().call_later(wait, self._enqueue, layer_id)

    def _enqueue(self, layer_id: str) -> None:
        _cancel_timer(self._pause_timer)
        self._pause_timer, self._stroke_start = None, None
        self.jobs.enqueue(layer_id)

    def _on_result(self, job: "Job") -> None:
        self.stale.discard(job.layer)
        if job.final_ms is not None and not job.is_from_cache:
            self._run_times.append(job.final_ms / 1000)

    # Layers above a change

    def _connect_document(self, document: "Document") -> None:
        if self._disconnect_document is not None:
            self._disconnect_document()
        self._stop_timers()
        self.stale.clear()
        self._disconnect_document = document.changed.connect(self._on_changed)

    def _on_changed(self, rect: Rect) -> None:
        document = self.studio.document
        if document.is_editing:
            self._note_paint(document)
        self._dirty = self._dirty | rect
        _cancel_timer(self._rest_timer)
        # Without a running event loop, stale layers wait for the next change.
        with suppress(RuntimeError):
            self._rest_timer = asyncio.get_running_loop().call_later(
                REST_SECONDS, self._start_refresh
            )

    def _note_paint(self, document: "Document") -> None:
        if self._stroke_start is not None and document.state.active == self._layer_id:
            self._restart_pause(self._layer_id)

    def _start_refresh(self) -> None:
        self._rest_timer = None
        if self._dirty:
            asyncio.get_running_loop().create_task(self.refresh())

    async def refresh(self) -> None:
        """Find the stale layers over changed pixels, from the bottom; when live, run the lowest.

        Its result is a change too, so the layers above are checked again after it.
        """
        document, dirty = self.studio.document, self._dirty
        if document.is_editing or not self.jobs.is_idle:
            self._restart_rest()
            return
        self._dirty = EMPTY
        for node in walk(document.root):
            if not isinstance(node, AiLayer) or not _may_be_stale(node, dirty):
                continue
            may_run = await self._check_layer(node.id)
            if document is not self.studio.document:
                return
            if may_run and self.is_on:
                self._dirty = self._dirty | dirty
                self.jobs.enqueue(node.id, is_refresh=True)
                self._restart_rest()
                return

    async def _check_layer(self, layer_id: str) -> bool:
        """Note whether a layer is stale; True when it should run by itself."""
        with suppress(EditorError):
            state, layer = freeze_layer(self.studio.document, layer_id)
            key = await self.jobs.run_in_thread(find_stale_key, state, layer)
            if key:
                self.stale.add(layer_id)
                failed = layer_id in self.jobs.failures
                return key not in self.jobs.declined and not failed
        self.stale.discard(layer_id)
        return False

    def _restart_rest(self) -> None:
        _cancel_timer(self._rest_timer)
        self._rest_timer = asyncio.get_running_loop().call_later(REST_SECONDS, self._start_refresh)

    def _stop_timers(self) -> None:
        _cancel_timer(self._pause_timer)
        _cancel_timer(self._rest_timer)
        self._pause_timer = self._rest_timer = self._stroke_start = None
        self._dirty = EMPTY


def _may_be_stale(layer: AiLayer, dirty: Rect) -> bool:
    shown = layer.tiles.bounds.translate(*layer.position)
    return bool(layer.visible and not layer.baked and layer.rendered and shown & dirty)


def _cancel_timer(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
