"""A search for better seeds of the active AI layer while the person is idle.

Any input stops the search at once. The seeds that it finds appear among the layer's thumbnails;
the document changes only when the person chooses one.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.catalog import verifiers
from core.engine.engine import EngineState as Worker
from core.engine.job_models import model_names
from core.engine.messages import JobDone, JobFailed, JobStep
from core.errors import EditorError
from core.paint import layers
from core.paint.layers import AiLayer, Group
from core.scoring.score import missing_for_verifier
from core.scoring.seed_search import SeedScore, SeedSearch, is_worth_it
from core.signal import Signal
from editor.ai_session.layer_results import (
    TaskSnapshot,
    current_key,
    freeze_layer,
    make_result,
    take_snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.ai.crop import Geometry
    from core.engine.job_stream import JobStream, StreamMessage
    from core.paint.document import Document
    from core.paint.edits import DocumentState
    from editor.ai_session.current_recipe import CurrentRecipe
    from editor.ai_session.job_queue import JobQueue
    from editor.studio import Studio

REST_SECONDS = 3.0
"""Seconds without input after which the search begins."""
SLOW_STEP_SECONDS = 2.0
"""Seconds a step may take: the person's own edit has to wait for a step that runs."""
DEFAULT_VERIFIER = "agreement"


class IdleSeedSearch:
    """Tries other seeds one by one and scores them with a verifier.

    ``changed`` is emitted when the search is switched, starts, stops or has scored a seed;
    ``text`` is its progress, empty while it does not run.
    """

    def __init__(self, studio: "Studio", jobs: "JobQueue", recipes: "CurrentRecipe") -> None:
        self.studio, self.jobs, self.current_recipe = studio, jobs, recipes
        self.is_on = False
        self.verifier = DEFAULT_VERIFIER
        self.text = ""
        self.changed: Signal[None] = Signal()
        self._searches: dict[str, SeedSearch] = {}
        self._unfit: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._stream: JobStream | None = None
        self._disconnect: list[Callable[[], None]] = [
            studio.opened.connect(self._on_document_opened),
            recipes.changed.connect(lambda _: self.interrupt()),
            jobs.changed.connect(lambda _: self.interrupt()),
            jobs.engine.changed.connect(self._on_worker_changed),
        ]
        self._disconnect_document: list[Callable[[], None]] = []
        self._connect_document(studio.document)

    def turn(self, on: bool) -> None:
        """Switch the search; on also starts searches again that had been given up."""
        self.is_on = on
        self._unfit.clear()
        for search in self._searches.values():
            search.is_over = False
        self.interrupt()
        layer = self.current_recipe.layer
        if on and layer is not None:
            self._note(missing_for_verifier(verifiers[self.active_verifier], layer.recipe))
        self.changed.emit(None)

    def choose(self, verifier: str) -> None:
        """Use another verifier from now on."""
        self.verifier = verifier
        self.interrupt()
        self.changed.emit(None)

    @property
    def active_verifier(self) -> str:
        """The id of the verifier in use: the chosen one, unless its plugin is missing."""
        return self.verifier if self.verifier in verifiers else DEFAULT_VERIFIER

    def interrupt(self) -> None:
        """Stop at once, and begin again after REST_SECONDS without input."""
        self._stop()
        if self.is_on:
            # Before the event loop runs there is no worker either; its start calls this again.
            with suppress(RuntimeError):
                self._timer = asyncio.get_running_loop().call_later(REST_SECONDS, self._begin)

    def close(self) -> None:
        self._stop()
        self.is_on = False
        for disconnect in (*self._disconnect, *self._disconnect_document):
            disconnect()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._stream is not None:
            self._stream.cancel()
        task, self._task, self._stream, self._timer = self._task, None, None, None
        if task is not None:
            task.cancel()
            self._set_text("")

    # When it begins

    def _on_document_opened(self, document: "Document") -> None:
        self._searches.clear()
        self._connect_document(document)
        self.interrupt()

    def _connect_document(self, document: "Document") -> None:
        for disconnect in self._disconnect_document:
            disconnect()
        self._disconnect_document = [
            signal.connect(lambda _: self.interrupt())
            for signal in (document.changed, document.restructured, document.selected)
        ]

    def _on_worker_changed(self, _: Worker) -> None:
        if self._task is None:
            self.interrupt()

    def _begin(self) -> None:
        self._timer = None
        layer = self._find_layer()
        if layer is not None:
            self._task = asyncio.get_running_loop().create_task(self._search(layer))
            self._task.add_done_callback(self._on_end)

    def _on_end(self, task: "asyncio.Task[None]") -> None:
        if task is self._task:
            self._task = self._stream = None
            self._set_text("")
        if not task.cancelled():
            task.result()

    def _find_layer(self) -> AiLayer | None:
        """The active AI layer, if nothing else runs and other seeds may be better."""
        layer = self.current_recipe.layer
        return layer if layer and self._is_quiet() and self._is_fit(layer) else None

    def _is_quiet(self) -> bool:
        is_ready = self.jobs.engine.state is Worker.ready and self.jobs.is_idle
        waits = self.studio.document.is_editing or self.current_recipe.is_draft
        return is_ready and not waits and not self.current_recipe.is_locked

    def _is_fit(self, layer: AiLayer) -> bool:
        recipe = layer.recipe
        # A model that has yet to be loaded could not be stopped at a step.
        is_ready = self.jobs.engine.loaded_models.issuperset(model_names(recipe))
        is_known = is_ready and recipe.model in self.jobs.engine.models
        shows = layer.rendered and not layer.baked and _is_shown(self.studio.document.root, layer)
        can_judge = is_worth_it(recipe) and not missing_for_verifier(
            verifiers[self.active_verifier], recipe
        )
        is_hopeless = recipe.model in self._unfit or layer.id in self.jobs.failures
        return bool(is_known and shows and can_judge and not is_hopeless)

    # The search

    async def _search(self, layer: AiLayer) -> None:
        with suppress(EditorError):
            state, still = freeze_layer(self.studio.document, layer.id)
            key = await self.jobs.run_in_thread(_unseeded_key, state, still)
            if key:
                search = self._search_for(layer.id, f"{self.active_verifier} {key}")
                await self._try_seeds(search, state, still)

    def _search_for(self, layer_id: str, unseeded_key: str) -> SeedSearch:
        known = self._searches.get(layer_id)
        if known is None or known.unseeded_key != unseeded_key:
            known = self._searches[layer_id] = SeedSearch(unseeded_key)
        return known

    async def _try_seeds(self, search: SeedSearch, state: "DocumentState", layer: AiLayer) -> None:
        geometry = self.jobs.engine.models[layer.recipe.model].geometry
        verifier = self.active_verifier
        while (seed := search.next(layer.recipe.seed)) is not None:
            self._set_text(search.progress(seed))
            snapshot = await self.jobs.run_in_thread(_take_snapshot, state, layer, seed, geometry)
            done = await self._run_task(snapshot, search, verifier)
            if done is None:
                return
            score = done.facts.get("score")
            if score is None:
                self._give_up(search, "this model cannot judge them")
                return
            result = await self.jobs.run_in_thread(make_result, snapshot, done.pixels, done.facts)
            search.scores[seed] = score
            seed_score = SeedScore(search.unseeded_key, verifier, score)
            self.jobs.results.add_score(layer.id, result, seed_score, seed != layer.recipe.seed)
            self.changed.emit(None)

    async def _run_task(
        self, snapshot: TaskSnapshot, search: SeedSearch, verifier: str
    ) -> JobDone | None:
        """The worker's result; None when the task was stopped, failed or is too slow."""
        run, pace = self.jobs.engine.submit(snapshot.task, verifier, is_preemptible=True), Pace()
        self._stream = run
        async for message in run:
            if isinstance(message, JobDone):
                return message
            reason = self._reason_to_stop(message, snapshot.task.recipe.model, pace)
            if reason:
                run.cancel()
                self._give_up(search, reason)
                return None
        return None

    def _reason_to_stop(self, message: "StreamMessage", model: str, pace: "Pace") -> str:
        """Why the search must stop, or empty; notes models that are too large or too slow."""
        if isinstance(message, JobFailed):
            if message.retry:
                self._unfit.add(model)
            return message.text.rstrip(".")
        if isinstance(message, JobStep) and pace.note_step():
            self._unfit.add(model)
            return "one step takes so long that your own edits would wait for it"
        return ""

    def _give_up(self, search: SeedSearch, why: str) -> None:
        search.is_over = True
        self._note(f"No more looking for better seeds: {why[0].lower()}{why[1:]}.")

    def _note(self, sentence: str) -> None:
        if sentence:
            self.jobs.noted.emit(sentence)

    def _set_text(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.changed.emit(None)


class Pace:
    """Measures the time between steps; one late step may be the window's own fault."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._late = 0

    def note_step(self) -> bool:
        """Note a step that has just ended; True once more than one step was too slow."""
        now = time.monotonic()
        self._late += self._last is not None and now - self._last > SLOW_STEP_SECONDS
        self._last = now
        return self._late > 1


def _unseeded_key(state: "DocumentState", layer: AiLayer) -> str:
    """The key of the layer's task without its seed; empty when its result is out of date."""
    if current_key(state, layer) != layer.rendered:
        return ""
    return current_key(*_with_seed(state, layer, 0))


def _take_snapshot(
    state: "DocumentState", layer: AiLayer, seed: int, geometry: "Geometry"
) -> TaskSnapshot:
    return take_snapshot(*_with_seed(state, layer, seed), geometry)


def _with_seed(
    state: "DocumentState", layer: AiLayer, seed: int
) -> tuple["DocumentState", AiLayer]:
    other = replace(layer, recipe=replace(layer.recipe, seed=seed))
    return replace(state, root=layers.replace_node(state.root, other)), other


def _is_shown(root: Group, layer: AiLayer) -> bool:
    """Whether neither the layer nor a group around it is hidden."""
    node: layers.Node | None = layer
    while node is not None and node.visible:
        if node is root:
            return True
        node = layers.parent_of(root, node.id)
    return False
