"""The composition root: every long-lived object of a window is made here and passed on."""

import asyncio
import contextlib
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

import editor.commands
import editor.panels
from core import catalog
from core import settings as stored
from core.engine.engine import Engine, EngineState
from core.errors import EditorError
from core.plugins import SHIPPED, Plugin, advice_for, load_plugins
from core.registry import load_all
from core.signal import Observable
from editor.actions import Actions
from editor.activity import ActivityWatcher
from editor.ai_session.ai_actions import AiActions
from editor.ai_session.idle_seed_search import IdleSeedSearch
from editor.ai_session.job_queue import JobQueue
from editor.ai_session.live_loop import LiveLoop
from editor.api import Api
from editor.canvas.canvas import Canvas
from editor.canvas.compare_wipe import CompareWipe
from editor.commands.command import command_groups
from editor.commands.file import file_sections
from editor.commands.settings import worker_options
from editor.commands.window import window_sections
from editor.files.autosave import Autosave
from editor.files.file_actions import FileActions
from editor.files.remembered_choices import recall_choices, recall_recipe, remember_choices
from editor.session import Session
from editor.shell.window import MainWindow
from editor.studio import Studio
from editor.widgets.style import apply_theme

if TYPE_CHECKING:
    from core.paint.document import Document
    from core.task import Recipe
    from editor.ai_session.job import Job
    from editor.ai_session.unfinished_layers import TakenBack
    from editor.widgets.theme import Tokens

WORKER = {
    EngineState.starting: "worker starting",
    EngineState.ready: "worker ready",
    EngineState.loading: "loading the model",
    EngineState.busy: "painting",
    EngineState.restarting: "worker restarting",
    EngineState.stopped: "worker stopped",
}
WHEEL_HINT = "The wheel over it shows other seeds, with Ctrl other strengths; elsewhere it zooms"


class App:
    """One window and everything it works with. The engine starts with ``start``."""

    def __init__(self, application: QApplication, settings: stored.Settings | None = None) -> None:
        catalog.load(
            "brushes", "tools", "formats", "techniques", "verifiers", "modifiers", "models"
        )
        # Before the window is built, so that it shows what plugins register.
        self.plugins = load_plugins(SHIPPED, stored.folders().plugins)
        loaded = stored.load() if settings is None else stored.LoadedSettings(settings)
        self._warming: asyncio.Task[None] | None = None
        self._gesture_note = ""
        choices, notes = recall_choices(loaded.settings)
        recipe, odd_names = recall_recipe(loaded.settings)
        self.session = self._build_session(application, loaded.settings, recipe)
        self.session.studio.choose_all(choices)
        self.activity = ActivityWatcher(application, self.session.idle.interrupt)
        self._add_commands()
        # Before any button shows them: a button without an icon asks for room for its words.
        self.session.actions.apply_theme(self.session.tokens.value)
        self.window = MainWindow(self.session)
        self.files = FileActions(self.session, self.window)
        self.autosave = Autosave(self.session, self.files)
        self._connect_window()
        self._connect()
        self._on_theme(self.session.tokens.value)
        self.plugins = [self._set_up_plugin(plugin) for plugin in self.plugins]
        self._tell_failures()
        self.session.actions.refresh()
        notes = [note for note in (loaded.note, *notes, *odd_names) if note]
        if notes:
            self.session.tell(" ".join(notes))

    def _build_session(
        self, application: QApplication, settings: stored.Settings, recipe: "Recipe"
    ) -> Session:
        tokens = apply_theme(application, settings.theme)
        studio = Studio()
        engine = Engine(worker_options(settings))
        jobs = JobQueue(studio, engine)
        live = LiveLoop(studio, jobs)
        ai = AiActions(studio, jobs, live, recipe)
        canvas = Canvas(studio)
        return Session(
            studio=studio,
            engine=engine,
            jobs=jobs,
            live=live,
            ai=ai,
            idle=IdleSeedSearch(studio, jobs, ai.current_recipe),
            canvas=canvas,
            compare=CompareWipe(canvas),
            actions=Actions(lambda sentence: self.session.tell(sentence)),
            settings=Observable(settings),
            tokens=Observable(tokens),
        )

    def _add_commands(self) -> None:
        """The commands of every menu that need no window."""
        load_all(editor.panels)
        load_all(editor.commands)
        for group in sorted(command_groups, key=lambda group: group.position):
            self.session.actions.add_sections(group.label, group().sections(self.session))

    def _connect_window(self) -> None:
        """Files and window know each other by signals; then the menus are whole."""
        window, files, actions = self.window, self.files, self.session.actions
        actions.add_sections("File", file_sections(files))
        for menu, sections in window_sections(window).items():
            actions.add_sections(menu, sections)
        window.make_menus()
        window.path_chosen.connect(files.open_path)
        window.path_dropped.connect(files.open_dropped)
        window.may_close = files.may_leave
        self.autosave.offered.connect(window.show_above)

    def _connect(self) -> None:
        session, status = self.session, self.window.status
        session.ai.connect(session.canvas)
        session.canvas.zoomed.connect(status.set_zoom)
        session.canvas.hovered.connect(status.set_position)
        session.canvas.inked.connect(status.set_ink)
        session.canvas.failed.connect(lambda sentence: self._tell_of_gesture(sentence, True))
        session.canvas.told.connect(lambda sentence: self._tell_of_gesture(sentence, False))
        session.canvas.began.connect(lambda: self.window.message_bar.withdraw(self._gesture_note))
        session.jobs.result_shown.connect(self._on_result)
        session.jobs.noted.connect(session.note)
        session.engine.changed.connect(self._on_engine_state)
        session.ai.unfinished.taken_back.connect(self._on_taken_back)
        session.idle.changed.connect(lambda _: self._on_idle())
        session.tokens.changed.connect(self._on_theme)
        remembered = session.settings.value
        self._on_settings(remembered)
        session.settings.changed.connect(self._on_settings)
        session.idle.choose(remembered.verifier)
        session.idle.turn(remembered.seeds_while_idle)
        session.studio.opened.connect(self._watch)
        self._watch(session.studio.document)
        self._on_engine_state(session.engine.state)

    def _watch(self, document: "Document") -> None:
        actions = self.session.actions
        document.history.budget = self.session.settings.value.undo_mb << 20
        document.restructured.connect(lambda _: actions.refresh())
        document.selected.connect(lambda _: actions.refresh())
        actions.refresh()

    # Plugins

    def _set_up_plugin(self, plugin: Plugin) -> Plugin:
        setup = getattr(plugin.module, "setup", None)
        try:
            if setup is not None:
                setup(Api(self.session, self.window))
        except Exception as error:  # noqa: BLE001 - a plugin's faults are its own affair
            return replace(plugin, trace=traceback.format_exc(), advice=advice_for(error))
        return plugin

    def _tell_failures(self) -> None:
        """A plugin that fails is told; the window opens all the same."""
        failed = [plugin for plugin in self.plugins if plugin.trace]
        if failed:
            names = ", ".join(plugin.name for plugin in failed)
            traces = "\n".join(plugin.trace for plugin in failed)
            advice = [plugin.advice for plugin in failed if plugin.advice]
            self.session.tell(" ".join([f"Not loaded: {names}.", *advice]), traces)

    # Life

    def start(self) -> None:
        """Bring up the worker and load the model ahead; call inside the event loop."""
        self.session.engine.start()
        self.autosave.start()
        self._warming = asyncio.get_running_loop().create_task(self._warm())

    async def _warm(self) -> None:
        """Load the model while the person looks round, so that the first stroke is quick."""
        try:
            await self.session.engine.open(self.session.ai.current_recipe.shown.model)
        except EditorError as error:
            self.session.tell(f"{error} Everything but the AI tools works.")

    def close(self) -> None:
        """End the worker and give up the file."""
        if self._warming is not None:
            self._warming.cancel()
        session = self.session
        self.autosave.close()
        session.idle.close()
        self.activity.listen(False)
        session.ai.unfinished.close()
        session.live.close()
        session.jobs.close()
        session.engine.close()
        self.files.close()
        with contextlib.suppress(EditorError):
            remembered = remember_choices(session.settings.value, session.studio.choices)
            stored.save(replace(remembered, windows=self.window.places()))

    # The worker

    def _on_result(self, job: "Job") -> None:
        if job.preview_ms is not None:
            self.window.status.set_preview(job.preview_ms)
        if job.final_ms is not None:
            self.window.status.set_final(job.final_ms)
        fresh = self.session.ai.seeds.fresh
        if fresh is not None and fresh.id == job.layer:
            self.session.note(WHEEL_HINT)

    def _tell_of_gesture(self, sentence: str, is_error: bool) -> None:
        """Say what a gesture could not do, or what it did; until the next one begins."""
        self._gesture_note = sentence
        self.session.tell(sentence, is_error=is_error)

    def _on_taken_back(self, taken: "TakenBack") -> None:
        """Say why a layer went, and that nothing is lost."""
        back = " Redo (Ctrl+Shift+Z) or Run brings it back." if taken.can_redo else ""
        if taken.failure is None:
            self.session.note(f"Stopped: the stroke of {taken.name} was taken back.{back}")
        else:
            sentence = f"{taken.failure.text} The stroke of {taken.name} was taken back.{back}"
            self.session.tell(sentence, taken.failure.trace)

    def _on_engine_state(self, state: EngineState) -> None:
        worker = self.session.engine.worker
        is_stopped = state is EngineState.stopped
        device = f" ({worker.device})" if worker is not None and not is_stopped else ""
        self.window.status.set_worker((self.session.idle.text or WORKER[state]) + device)

    def _on_idle(self) -> None:
        idle, settings = self.session.idle, self.session.settings
        settings.set(replace(settings.value, seeds_while_idle=idle.is_on, verifier=idle.verifier))
        self.activity.listen(idle.is_on)
        self._on_engine_state(self.session.engine.state)

    # Settings and the theme

    def _on_settings(self, settings: stored.Settings) -> None:
        """Let the window and the worker follow what is remembered, at once."""
        session = self.session
        session.studio.document.history.budget = settings.undo_mb << 20
        session.ai.seeds.uses_wheel = settings.wheel != "zoom"
        session.engine.configure(worker_options(settings))

    def _on_theme(self, tokens: "Tokens") -> None:
        self.session.canvas.surround = QColor(tokens.surround)
        self.session.canvas.update()
        self.session.actions.apply_theme(tokens)
