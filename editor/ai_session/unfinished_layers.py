"""AI layers without a result: each is run, or its strokes are taken back; none is left behind."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from core.ai.recipe_inputs import names_paths
from core.paint import layers
from core.paint.layers import AiLayer, Group, walk
from core.signal import Signal
from editor.ai_session.job import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.paint.document import Document
    from core.paint.edits import Edit
    from editor.ai_session.job import Failure, Job
    from editor.ai_session.job_queue import JobQueue
    from editor.ai_session.live_loop import LiveLoop
    from editor.studio import Studio

ENDS = {Stage.cancelled, Stage.failed}


class TakenBack(NamedTuple):
    """A layer whose strokes were taken back, and why: a failure, or None when it was stopped.

    ``can_redo`` says whether Redo brings it back.
    """

    name: str
    failure: "Failure | None"
    can_redo: bool


class UnfinishedLayers:
    """Watches the open document while the live loop is on; off, layers wait for Run.

    ``taken_back`` tells which layer went because its run was stopped or failed. Layers that a
    file brought without a result stay, and run unless their recipe names paths.
    """

    def __init__(self, studio: "Studio", jobs: "JobQueue", live: "LiveLoop") -> None:
        self.studio, self.jobs, self.live = studio, jobs, live
        self.taken_back: Signal[TakenBack] = Signal()
        self._from_file: set[str] = set()
        self._ended: dict[str, Failure | None] = {}
        self._last_id = ""
        self._check: asyncio.Handle | None = None
        self._disconnect: list[Callable[[], None]] = [
            jobs.changed.connect(self._on_job),
            studio.opened.connect(self._on_document_opened),
            live.turned.connect(lambda _: self._on_live_turned()),
        ]
        self._disconnect_document = studio.document.restructured.connect(
            lambda _: self._check_soon()
        )
        self._remember_layers(studio.document)

    def close(self) -> None:
        for disconnect in (*self._disconnect, self._disconnect_document):
            disconnect()
        if self._check is not None:
            self._check.cancel()

    def _on_document_opened(self, document: "Document") -> None:
        self._disconnect_document()
        self._disconnect_document = document.restructured.connect(lambda _: self._check_soon())
        self._ended.clear()
        self._last_id = ""
        self._remember_layers(document)
        self._check_soon()

    def _remember_layers(self, document: "Document") -> None:
        self._from_file = {node.id for node in _unfinished(document)}

    def _on_live_turned(self) -> None:
        """What was stopped while layers waited for Run is run, not taken back."""
        self._ended.clear()
        self._check_soon()

    def _on_job(self, job: "Job") -> None:
        if job.stage.is_over:
            if job.stage in ENDS:
                self._ended[job.layer] = job.failure
            self._check_soon()

    def _check_soon(self) -> None:
        """Check once what happens now is over: a stroke asks for its run only after its entry."""
        if self._check is None:
            # Without a running event loop nothing can run either.
            with suppress(RuntimeError):
                self._check = asyncio.get_running_loop().call_soon(self.check)

    def check(self) -> None:
        """Run or take back every layer that has no result and no job."""
        self._check = None
        document = self.studio.document
        if document.is_editing or not self.live.is_on:
            return
        for layer in _unfinished(document):
            if self.jobs.current(layer.id) is not None:
                continue
            if layer.id not in self._ended:
                if layer.id not in self._from_file or not names_paths(layer.recipe):
                    self.jobs.enqueue(layer.id)
            elif layer.id not in self._from_file:
                self._end(document, layer)
        self._ended.clear()

    def _end(self, document: "Document", layer: AiLayer) -> None:
        can_redo = take_back(document, layer.id)
        self._last_id = layer.id if can_redo else ""
        self.taken_back.emit(TakenBack(layer.name, self._ended[layer.id], can_redo))

    def bring_back(self) -> bool:
        """Redo the layer that was taken back last; False when something else was done since."""
        document = self.studio.document
        undone = document.history.undone
        while self._last_id and undone and _is_edit_of(undone[-1], self._last_id):
            document.redo()
            undone = document.history.undone
        active = document.active
        return active is not None and active.id == self._last_id


def _unfinished(document: "Document") -> list[AiLayer]:
    """AI layers with a region and without a result, from the bottom."""
    return [
        node
        for node in walk(document.root)
        if isinstance(node, AiLayer) and not node.rendered and not node.baked and len(node.region)
    ]


def take_back(document: "Document", layer_id: str) -> bool:
    """Undo what made a layer; other edits that were made since then stay. Not during an edit.

    Returns whether it can be redone.
    """
    history = document.history
    while history.done and _is_edit_of(history.done[-1], layer_id):
        document.undo()
        if layers.find(document.root, layer_id) is None:
            return True
    document.forget(layer_id)
    return False


def _is_edit_of(edit: "Edit", layer_id: str) -> bool:
    """Whether an edit changed one layer and nothing else."""
    before, after = edit.before, edit.after
    others = [_other_layers(state.root, layer_id) for state in (before, after)]
    same = len(others[0]) == len(others[1]) and all(
        first is second for first, second in zip(*others, strict=True)
    )
    return same and before.size == after.size and before.selection is after.selection


def _other_layers(root: Group, layer_id: str) -> list[layers.Node]:
    nodes = layers.walk(root)
    return [node for node in nodes if node.id != layer_id and not isinstance(node, Group)]
