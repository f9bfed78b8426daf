"""The AI dock: the recipe of the active AI layer, or of the next one."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget

from core.ai.recipe_values import name_of, negative_prompt_of, prompt_of, value_of
from core.ai.recipe_words import words_of
from core.ai.verb_recipes import is_found_by_words, verb_of, with_model, with_technique, with_verb
from core.catalog import params_of, techniques, verbs
from core.describers.dispatch import missing_for_describer
from core.errors import EditorError
from core.models.files import refuse_pickle
from core.models.opening import backend_of, warn_of_unknown_words
from core.params import (
    PROMPTS,
    Guidance,
    NegativePrompt,
    Prompt,
    SourcePrompt,
    Strength,
    fields,
    from_json,
    to_json,
    values_brought,
)
from core.task import ModifierSetting, Recipe
from editor.ai_session.current_recipe import with_prompts
from editor.ai_session.job import Failure
from editor.panels.ai_choices import AiChoices
from editor.panels.ai_guide import guide_line
from editor.panels.ai_known_things import known_things
from editor.panels.ai_modifiers import ModifierBox
from editor.panels.ai_progress import UNCHANGED, Progress
from editor.panels.ai_seed import SeedRow
from editor.panels.ai_verbs import VerbRow
from editor.panels.ai_words import SHOWN, WANTED, PromptFields
from editor.panels.panel import Place, panels
from editor.widgets.foldout import Foldout
from editor.widgets.forms import build_form

if TYPE_CHECKING:
    from editor.ai_session.job import Job
    from editor.session import Session
    from editor.widgets.forms import Form
    from editor.widgets.theme import Tokens

PAINT_HINT = "Paint with the AI brush (A) over what should change."
FOUND_HINT = "Run (Enter) looks for it and changes nothing else; or paint over it (A)."


@panels.register
class AiPanel(QWidget):
    """Prompts and dials scroll; seed, progress and Run below them are always in sight."""

    id: ClassVar[str] = "ai"
    title: ClassVar[str] = "AI"
    place: ClassVar[Place] = Place(10, height=384)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.current_recipe, self.seeds, self.jobs = (
            session.ai.current_recipe,
            session.ai.seeds,
            session.jobs,
        )
        self.verbs, self.prompts = VerbRow(), PromptFields()
        self.choices, self.modifiers = AiChoices(), ModifierBox()
        self.seed, self.progress = SeedRow(session.tokens.value), Progress(session.tokens.value)
        self.details = Foldout("More dials", session.tokens.value)
        self.details.open(session.settings.value.ai_details)
        self._dials: Form | None = None
        self._dial_rows: list[QWidget] = []
        self._dials_technique = ""
        self._own_failure: Failure | None = None
        self._suggestion: asyncio.Task[None] | None = None
        self._refresh_timer = QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self.refresh)
        self._lay_out()
        self._connect()
        self.apply_theme(session.tokens.value)
        self.refresh()

    def _lay_out(self) -> None:
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(8)
        self._dial_box = QVBoxLayout()
        self._column.addWidget(self.verbs)
        self._column.addWidget(self.prompts)
        self._column.addWidget(self.choices)
        self._column.addLayout(self._dial_box)
        self._column.addWidget(self.details)
        self.details.column.addWidget(self.modifiers)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        pinned = QVBoxLayout()
        pinned.setContentsMargins(8, 4, 8, 8)
        pinned.setSpacing(6)
        pinned.addWidget(self.seed)
        pinned.addWidget(self.progress)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addLayout(pinned)

    def _connect(self) -> None:
        self.verbs.chosen.connect(self._on_verb)
        self.session.ai.failed.connect(self._fail)
        self.prompts.changed.connect(self._on_written)
        self.prompts.run.connect(self._on_run)
        self.prompts.search.connect(self._on_search)
        self.prompts.suggest.connect(self._on_suggest)
        self.choices.technique.connect(self._on_technique)
        self.choices.model.connect(self._on_model)
        self.modifiers.turned.connect(self._on_modifiers)
        self.modifiers.settled.connect(self.current_recipe.settle)
        self.details.switched.connect(self._on_details)
        self.choices.add_model.connect(self._on_add_model)
        self.seed.typed.connect(self.seeds.choose_seed)
        self.seed.walked.connect(self.seeds.walk)
        self.seed.diced.connect(self.seeds.choose_random_seed)
        self.seed.locked.connect(self._on_locked)
        self.seed.picked.connect(self._on_picked)
        self.seed.idle.switched.connect(self.session.idle.turn)
        self.seed.idle.chosen.connect(self.session.idle.choose)
        self.session.idle.changed.connect(lambda _: self._refresh_timer.start())
        self.progress.run.connect(self._on_run)
        self.progress.cancel.connect(self._on_cancel)
        self.progress.live.connect(self.session.live.turn)
        self.current_recipe.changed.connect(lambda _: self._refresh_timer.start())
        self.jobs.changed.connect(self._on_job_changed)
        self.session.tokens.changed.connect(self.apply_theme)
        self.jobs.result_shown.connect(lambda _: self._refresh_timer.start())

    def apply_theme(self, tokens: "Tokens") -> None:
        """Icons and marks in the theme's colours."""
        self.prompts.apply_theme()
        self.details.apply_theme(tokens)
        self.seed.apply_theme(tokens)
        self.progress.apply_theme(tokens)

    # From the recipe to the dock

    def refresh(self) -> None:
        """Show the current recipe."""
        recipe = self.current_recipe.shown
        negative = negative_prompt_of(recipe)
        self._show_words(recipe)
        self.prompts.show_hint(self._hint_for(recipe))
        self.choices.show_recipe(recipe.technique, recipe.model)
        has_own_guidance = value_of(recipe, Guidance) is not None
        self.modifiers.show_modifiers(recipe.modifiers, negative or "", has_own_guidance)
        self._show_dials(recipe)
        self.seed.field.show_seed(recipe.seed)
        layer = self.current_recipe.layer
        self.seed.thumbnails.show_variants(self.seeds.variants(), layer.rendered if layer else "")
        self.seed.idle.show_state(self.session.idle.is_on, self.session.idle.active_verifier)
        self.progress.run_button.setEnabled(layer is None or not layer.baked)
        self.progress.show_layer(layer.id if layer else "")
        self._show_failure()

    def _show_words(self, recipe: Recipe) -> None:
        """Show verb and words, and the fields that verb or technique ask for."""
        name, words = verb_of(recipe), words_of(recipe)
        self.verbs.show_verb(name)
        verb = verbs[name] if name else None
        prompt, source = words[Prompt], words[SourcePrompt]
        has_negative = negative_prompt_of(recipe) is not None
        self.prompts.show_prompts(prompt, words[NegativePrompt], has_negative)
        takes_source = value_of(recipe, SourcePrompt) is not None
        asks_source = takes_source or bool(verb and verb.source_hint)
        self.prompts.show_source(source, prompt, asks_source)
        self.prompts.show_hints(
            verb.prompt_hint if verb else WANTED, (verb.source_hint if verb else "") or SHOWN
        )
        if asks_source:
            self._show_suggestion(recipe)

    def _show_suggestion(self, recipe: Recipe) -> None:
        """Show whether the picture can be described."""
        is_busy = self._suggestion is not None and not self._suggestion.done()
        self.prompts.suggestion.show_state(missing_for_describer(recipe.model), is_busy)

    def _show_dials(self, recipe: Recipe) -> None:
        """Make a new form for another technique, else show new values in the same form."""
        params = _params(recipe)
        if recipe.technique != self._dials_technique:
            self._dials_technique = recipe.technique
            self._rebuild_dials(params)
        if self._dials is not None:
            self._dials.show_value(params)

    def _rebuild_dials(self, params: Any) -> None:
        for widget in (*self._dial_rows, self._dials):
            if widget is not None:
                widget.deleteLater()
        self._dials, self._dial_rows = None, []
        if params is not None:
            self._dials = build_form(params, self._on_params, self._on_settled, PROMPTS)
            for field in fields(type(params)):
                row = self._dials.rows.get(field.name)
                if row is not None and not isinstance(field.marker, Strength):
                    self._dial_rows.append(row)
                    self.details.column.insertWidget(len(self._dial_rows) - 1, row)
            self._dial_box.addWidget(self._dials)

    def _hint_for(self, recipe: Recipe) -> str:
        """What to do next; before it, the words that the model does not know."""
        words = words_of(recipe)
        unknown = warn_of_unknown_words(recipe.model, words[SourcePrompt], prompt_of(recipe))
        return " ".join(filter(None, [unknown, self._next_step(recipe)]))

    def _next_step(self, recipe: Recipe) -> str:
        layer, prompt = self.current_recipe.layer, prompt_of(recipe).strip()
        source = value_of(recipe, SourcePrompt)
        if recipe.technique not in techniques:
            return f"The technique {recipe.technique} is not installed: choose another one."
        if layer is None:
            where = FOUND_HINT if is_found_by_words(recipe) else PAINT_HINT
            return " ".join(filter(None, [where, known_things(recipe.model)]))
        if layer.baked:
            return f"{layer.name} is frozen: its picture stays as it is."
        if self.current_recipe.has_other_verb:
            return "Run (Enter), or paint a region, to make a new AI layer with these words."
        if self.current_recipe.is_draft:
            return f"Run (Enter) to change {layer.name}, or paint a new region with these words."
        if source == "" and prompt:
            return "Say what the picture shows, so that only the words that differ change it."
        if source is not None and prompt:
            return guide_line()
        if not prompt:
            return (
                f"Without words the model fills in what fits. {known_things(recipe.model)}".strip()
            )
        return ""

    def _show_failure(self) -> None:
        layer = self.current_recipe.layer
        failure = self.jobs.failures.get(layer.id) if layer else None
        self.progress.show_failure(self._own_failure or failure)

    def _on_job_changed(self, job: "Job") -> None:
        layer = self.current_recipe.layer
        current = self.jobs.current(layer.id) if layer else None
        self.progress.show_job(current or self.jobs.running)
        if job.stage.is_over and layer is not None and layer.id == job.layer:
            self.progress.show_note(UNCHANGED if job.is_unchanged else job.note, layer.id)
        self._show_failure()

    # From the dock to the recipe

    def _on_verb(self, verb: str) -> None:
        self._own_failure = None
        self._show_failure()
        self.current_recipe.write(with_verb(self.current_recipe.shown, verb))

    def _on_written(self, prompt: str, negative: str, source: str) -> None:
        self.current_recipe.write(with_prompts(self.current_recipe.shown, prompt, negative, source))

    def _on_run(self) -> None:
        self._own_failure = None
        try:
            self.session.ai.run()
        except EditorError as error:
            self._fail(str(error))

    def _on_search(self, words: str) -> None:
        self._own_failure = None
        self._search_task = asyncio.get_running_loop().create_task(self._find_words(words))

    async def _find_words(self, words: str) -> None:
        try:
            await self.session.ai.find_words(words)
        except EditorError as error:
            self._fail(str(error))

    def _on_suggest(self) -> None:
        self._own_failure = None
        self._show_failure()
        self._suggestion = asyncio.get_running_loop().create_task(self._fetch_suggestion())
        self._suggestion.add_done_callback(
            lambda _: self._show_suggestion(self.current_recipe.shown)
        )
        self._show_suggestion(self.current_recipe.shown)

    async def _fetch_suggestion(self) -> None:
        try:
            text = await self.session.ai.prompt_suggester.suggest()
            if text:
                self.prompts.source.write(text)
        except EditorError as error:
            self._fail(str(error))

    def _on_cancel(self) -> None:
        self.jobs.cancel_all()

    def _turn(self, dial: str, **changes: Any) -> None:
        self._own_failure = None
        self._show_failure()
        self.current_recipe.turn(replace(self.current_recipe.shown, **changes), dial)

    def _on_params(self, params: Any) -> None:
        shown = self.current_recipe.shown
        before = shown.params
        written = {name_of(shown, meaning) for meaning in PROMPTS}
        prompts = {name: before[name] for name in before if name in written}
        values = {**to_json(params), **prompts}
        changed = {name: value for name, value in values.items() if before.get(name) != value}
        if changed:
            values |= values_brought(type(params), changed)
            self._turn(next(iter(changed)), params=values)

    def _on_modifiers(self, wrapped: tuple[ModifierSetting, ...], dial: str) -> None:
        self._turn(dial, modifiers=wrapped)

    def _on_details(self, is_open: bool) -> None:
        settings = self.session.settings
        settings.set(replace(settings.value, ai_details=is_open))

    def _on_settled(self, _: Any) -> None:
        self.current_recipe.settle()

    def _on_technique(self, name: str) -> None:
        self._own_failure = None
        self._show_failure()
        self.current_recipe.turn(with_technique(self.current_recipe.shown, name), "technique")

    def _on_model(self, name: str) -> None:
        self._own_failure = None
        self._show_failure()
        self.current_recipe.turn(with_model(self.current_recipe.shown, name), "model")

    def _on_locked(self, on: bool) -> None:
        self.current_recipe.is_locked = on

    def _on_picked(self, key: str) -> None:
        variant = next((one for one in self.seeds.variants() if one.key == key), None)
        if variant is not None:
            self.seeds.choose(variant)

    # Checkpoints

    def _on_add_model(self) -> None:
        self.refresh()
        menu = QMenu(self)
        menu.addAction("A .safetensors file…", self._ask_for_file)
        menu.addAction("A diffusers folder…", self._ask_for_folder)
        menu.popup(self.choices.mapToGlobal(self.choices.rect().bottomLeft()))

    def _ask_for_file(self) -> None:
        kinds = "Checkpoints (*.safetensors);;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self, "Add a checkpoint", "", kinds)
        if name:
            self.add_model(Path(name))

    def _ask_for_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add a model folder")
        if name:
            self.add_model(Path(name))

    def add_model(self, path: Path) -> None:
        """Use a checkpoint where it lies; below the dials stands why one cannot be used."""
        try:
            refuse_pickle(path)
            backend_of(str(path))
        except EditorError as error:
            self._fail(str(error))
            return
        self._on_model(str(path))

    def _fail(self, sentence: str) -> None:
        self._own_failure = Failure(sentence)
        self._show_failure()


def _params(recipe: Recipe) -> Any:
    """A technique's Params; defaults where they do not fit, None when it is not installed."""
    if recipe.technique not in techniques:
        return None
    kind = params_of(techniques[recipe.technique])
    try:
        return from_json(kind, recipe.params)
    except EditorError:
        return kind()
