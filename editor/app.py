"""The composition root: every long-lived object of a window is made here and passed on."""

import asyncio
import contextlib
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from core import catalog
from core import settings as stored
from core.engine.engine import Engine, EngineState
from core.errors import EditorError
from core.formats.flat import unpremultiply
from core.paint.layers import Layer
from core.params import Range
from core.plugins import SHIPPED, Plugin, load_plugins
from editor.actions import Actions
from editor.activity import ActivityWatcher
from editor.ai_session.ai_actions import AiActions
from editor.ai_session.current_recipe import fresh_recipe
from editor.ai_session.idle_seed_search import IdleSeedSearch
from editor.ai_session.job_queue import JobQueue
from editor.ai_session.live_loop import LiveLoop
from editor.api import Api
from editor.canvas.canvas import Canvas
from editor.commands import document_edits
from editor.files.autosave import Autosave
from editor.files.file_actions import FileActions
from editor.shell.status_bar import StatusBar
from editor.shell.window import MainWindow
from editor.studio import Studio
from editor.widgets import theme

if TYPE_CHECKING:
    from core.paint.document import Document
    from editor.ai_session.job import Job

WORKER = {
    EngineState.starting: "worker starting",
    EngineState.ready: "worker ready",
    EngineState.loading: "loading the model",
    EngineState.busy: "painting",
    EngineState.restarting: "worker restarting",
    EngineState.stopped: "worker stopped",
}


class App:
    """One window and everything it works with. The engine starts with ``start``."""

    def __init__(self, application: QApplication, settings: stored.Settings | None = None) -> None:
        catalog.load(
            "brushes", "tools", "formats", "techniques", "verifiers", "modifiers", "models"
        )
        loaded = stored.load() if settings is None else stored.LoadedSettings(settings)
        self.application = application
        self.settings = loaded.settings
        self.tokens = theme.apply(application, self.settings.theme)
        self.has_document = False
        self._warming: asyncio.Task[None] | None = None
        self.studio = Studio()
        self.engine = Engine(self.settings.device, self.settings.cache_mb)
        self.jobs = JobQueue(self.studio, self.engine)
        self.live = LiveLoop(self.studio, self.jobs)
        start = fresh_recipe(self.settings.technique, self.settings.model)
        self.ai = AiActions(self.studio, self.jobs, self.live, start)
        self.recipes, self.seeds = self.ai.recipes, self.ai.seeds
        self.idle = IdleSeedSearch(self.studio, self.jobs, self.recipes)
        self.hand = ActivityWatcher(application, self.idle.interrupt)
        self.files = FileActions(self)
        self.status = StatusBar()
        self.canvas = Canvas(self.studio)
        self.actions = Actions(self)
        # Before any button shows them: a button without an icon asks for room for its words.
        self.actions.dress()
        self.window = MainWindow(self)
        self.autosave = Autosave(self)
        self._connect()
        self._dress()
        self.plugins = self._load_plugins()
        self.actions.refresh()
        if loaded.note:
            self.tell(loaded.note)

    def _connect(self) -> None:
        self.ai.connect(self.canvas)
        self.canvas.zoomed.connect(self.status.set_zoom)
        self.canvas.hovered.connect(self.status.set_position)
        self.canvas.inked.connect(self.status.set_ink)
        self.canvas.failed.connect(self.tell)
        self.jobs.landed.connect(self._on_result)
        self.jobs.changed.connect(self._on_job)
        self.jobs.said.connect(self.status.say)
        self.engine.changed.connect(self._on_engine_state)
        self.idle.changed.connect(lambda _: self._on_idle())
        remembered = self.settings
        self.idle.choose(remembered.verifier)
        self.idle.turn(remembered.seeds_while_idle)
        self.studio.opened.connect(self._watch)
        self._watch(self.studio.document)
        self._on_engine_state(self.engine.state)

    def _watch(self, document: "Document") -> None:
        document.history.budget = self.settings.undo_mb << 20
        document.restructured.connect(lambda _: self.actions.refresh())
        document.selected.connect(lambda _: self.actions.refresh())

    def _load_plugins(self) -> list[Plugin]:
        """Shipped and own plugins; what fails is told, the window opens all the same."""
        loaded = [
            self._set_up_plugin(plugin)
            for plugin in load_plugins(SHIPPED, stored.folders().plugins)
        ]
        failed = [plugin for plugin in loaded if plugin.trace]
        if failed:
            names = ", ".join(plugin.name for plugin in failed)
            self.tell(f"Not loaded: {names}.", "\n".join(plugin.trace for plugin in failed))
        return loaded

    def _set_up_plugin(self, plugin: Plugin) -> Plugin:
        setup = getattr(plugin.module, "setup", None)
        try:
            if setup is not None:
                setup(Api(self))
        except Exception:  # noqa: BLE001 - whatever a plugin does wrong is its own affair
            return replace(plugin, trace=traceback.format_exc())
        return plugin

    # Life

    def start(self) -> None:
        """Bring up the worker and load the model ahead; call inside the event loop."""
        self.engine.start()
        self.autosave.start()
        self._warming = asyncio.get_running_loop().create_task(self._warm())

    async def _warm(self) -> None:
        """Load the model while the person looks round, so that the first stroke is quick."""
        try:
            await self.engine.open(self.recipes.shown.model)
        except EditorError as error:
            self.tell(f"{error} Everything but the AI tools works.")

    def close(self) -> None:
        """End the worker and give up the file."""
        if self._warming is not None:
            self._warming.cancel()
        self.autosave.close()
        self.idle.close()
        self.hand.listen(False)
        self.live.close()
        self.jobs.close()
        self.engine.close()
        self.files.close()
        with contextlib.suppress(EditorError):
            stored.save(replace(self.settings, window=self.window.layout_text()))

    def show_document(self, document: "Document") -> None:
        """Make a document the open one and show the canvas."""
        self.has_document = True
        self.studio.open(document)
        self.window.show_canvas()
        self.actions.refresh()

    def note_saved(self) -> None:
        """The document was written; its title says so."""
        self.window.show_title()

    def tell(self, sentence: str, details: str = "", is_error: bool = True) -> None:
        """One sentence in the strip above the canvas."""
        self.window.strip.tell(sentence, details, is_error)

    # The hand

    def undo(self) -> None:
        label = self.studio.document.undo()
        if label:
            self.status.say(f"Undid {label.lower()}")

    def redo(self) -> None:
        label = self.studio.document.redo()
        if label:
            self.status.say(f"Redid {label.lower()}")

    def escape(self) -> None:
        """Stop the gesture, else discard the fresh AI layer, else deselect."""
        if self.canvas.is_gesturing:
            self.canvas.cancel()
        elif not self.seeds.discard() and self.studio.document.selection:
            document_edits.select_none(self.studio.document)

    def resize_brush(self, factor: float) -> None:
        self._change_brush("size", lambda value: value * factor + (0.5 if factor > 1 else -0.5))

    def harden_brush(self, by: float) -> None:
        self._change_brush("hardness", lambda value: value + by)

    def _change_brush(self, name: str, change: Any) -> None:
        """Change a dial of the tool itself when it has one, else of the brush."""
        on_tool = hasattr(self.studio.tool_params, name)
        params = self.studio.tool_params if on_tool else self.studio.brush_params
        marker = next((f.marker for f in _fields(params) if f.name == name), None)
        if not isinstance(marker, Range):
            return
        value = min(marker.high, max(marker.low, round(change(getattr(params, name)))))
        changed = replace(params, **{name: float(value)})
        (self.studio.set_tool_params if on_tool else self.studio.set_brush_params)(changed)

    def toggle_lock(self) -> None:
        layer = self.studio.document.active
        if not isinstance(layer, Layer):
            raise EditorError("Choose a layer whose transparency should be locked.")
        changed = replace(layer, lock_alpha=not layer.lock_alpha)
        label = "Lock transparency" if changed.lock_alpha else "Unlock transparency"
        self.studio.document.replace(label, changed)
        self.status.say(label)

    # The clipboard

    def copy(self) -> None:
        pixels, _ = document_edits.copy_pixels(self.studio.document)
        rgba = np.ascontiguousarray(unpremultiply(pixels))
        height, width = rgba.shape[:2]
        image = QImage(rgba.data, width, height, width * 4, QImage.Format.Format_RGBA8888)
        QGuiApplication.clipboard().setImage(image.copy())

    def cut(self) -> None:
        self.copy()
        document_edits.clear(self.studio.document)

    def paste(self) -> None:
        image = QGuiApplication.clipboard().image()
        if image.isNull():
            raise EditorError("There is no picture on the clipboard.")
        image = image.convertToFormat(QImage.Format.Format_RGBA8888_Premultiplied)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        pixels = rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)
        document_edits.paste(self.studio.document, pixels.copy())

    # The worker

    def _on_result(self, job: "Job") -> None:
        if job.preview_ms is not None:
            self.status.set_preview(job.preview_ms)
        if job.final_ms is not None:
            self.status.set_final(job.final_ms)

    def _on_job(self, _: "Job") -> None:
        self.window.layers_changed()

    def _on_engine_state(self, state: EngineState) -> None:
        hello = self.engine.worker
        device = (
            f" ({hello.device})" if hello is not None and state is not EngineState.stopped else ""
        )
        self.status.set_worker((self.idle.text or WORKER[state]) + device)

    def _on_idle(self) -> None:
        on, verifier = self.idle.is_on, self.idle.verifier
        self.settings = replace(self.settings, seeds_while_idle=on, verifier=verifier)
        self.hand.listen(on)
        self._on_engine_state(self.engine.state)

    # The look

    def toggle_theme(self) -> None:
        name = "light" if self.settings.theme == "dark" else "dark"
        self.settings = replace(self.settings, theme=name)
        self.tokens = theme.apply(self.application, name)
        self._dress()

    def _dress(self) -> None:
        from PySide6.QtGui import QColor

        self.canvas.surround = QColor(self.tokens.surround)
        self.canvas.update()
        self.actions.dress()
        self.window.dress()


def _fields(params: Any) -> list[Any]:
    from core.params import fields

    return list(fields(type(params)))
