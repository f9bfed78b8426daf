"""The commands of the AI menu, and the connection between AI layers and the canvas."""

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from core.ai.recipe_values import prompt_of, source_prompt_of
from core.ai.verb_recipes import is_found_by_words
from core.ai.word_region import search_recipe
from core.catalog import techniques
from core.errors import EditorError
from core.paint.layers import AiLayer, Node
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.signal import Signal
from editor.ai_session.current_recipe import CurrentRecipe, fresh_recipe, name_for
from editor.ai_session.seed_walk import SeedWalk
from editor.ai_session.select_by_words import WordSelector
from editor.ai_session.suggest_prompt import PromptSuggester
from editor.ai_session.unfinished_layers import UnfinishedLayers

if TYPE_CHECKING:
    from core.paint.pointer import GestureContext
    from core.task import Recipe
    from editor.ai_session.job import Job
    from editor.ai_session.job_queue import JobPreview, JobQueue
    from editor.ai_session.live_loop import LiveLoop
    from editor.canvas.canvas import Canvas
    from editor.studio import Studio


class AiActions:
    """The AI commands of one window, with its current recipe and its seed walk."""

    def __init__(
        self, studio: "Studio", jobs: "JobQueue", live: "LiveLoop", start: "Recipe | None" = None
    ) -> None:
        self.studio, self.jobs, self.live = studio, jobs, live
        self.current_recipe = CurrentRecipe(studio, jobs, live, start or fresh_recipe())
        self.seeds = SeedWalk(studio, self.current_recipe, jobs)
        self.unfinished = UnfinishedLayers(studio, jobs, live)
        self.word_selector = WordSelector(studio, jobs.engine, jobs)
        self.failed: Signal[str] = Signal()
        self._search: asyncio.Task[None] | None = None
        self.prompt_suggester = PromptSuggester(studio, jobs, self.current_recipe)

    @property
    def layer(self) -> AiLayer:
        """The active AI layer. Raises EditorError when another kind is active."""
        layer = self.current_recipe.layer
        if layer is None:
            raise EditorError("Choose an AI layer first, or paint one with the AI brush (A).")
        return layer

    # Commands

    def run(self) -> None:
        """Run the active AI layer with the recipe that the dock shows; without one, make one.

        A layer whose run failed or was stopped just now is brought back. A verb other than the
        layer's makes a new one. A new layer covers the selection, what the words name, or the
        canvas for techniques that need no region.
        Raises EditorError when the layer is frozen, or when there is no region to run on.
        """
        layer = self.current_recipe.layer
        if layer is None or self.current_recipe.has_other_verb:
            self._run_new()
        elif layer.baked:
            raise EditorError(f"{layer.name} is frozen: thaw it to run it again.")
        else:
            self.current_recipe.run()

    def _run_new(self) -> None:
        document, recipe = self.studio.document, self.current_recipe.shown
        if self.current_recipe.layer is None and self.unfinished.bring_back():
            self.current_recipe.write(recipe)
        elif document.selection:
            self._insert(document.selection, "AI layer from selection")
        elif is_found_by_words(recipe):
            self._search = asyncio.get_running_loop().create_task(self._run_where_found(recipe))
            return
        elif not techniques[self.current_recipe.shown.technique].needs_mask:
            self._insert(Selection(document.bounds), "AI layer")
        else:
            raise EditorError("Paint with the AI brush (A) over what should change, or select it.")
        self.current_recipe.run()

    async def _run_where_found(self, recipe: "Recipe") -> None:
        """Find what the words name, make an AI layer of it and run it."""
        words = source_prompt_of(recipe)
        try:
            found = await self.word_selector.find(
                words, search_recipe(words, words, recipe.model), recipe.verb
            )
        except EditorError as error:
            self.failed.emit(str(error))
            return
        if found is not None:
            self._insert(found, f"AI layer over {words}")
            self.current_recipe.run()

    def reseed(self) -> None:
        """Run the active AI layer with another seed."""
        if self.layer:
            self.seeds.choose_random_seed()

    def freeze(self) -> None:
        """Keep the pixels as they are, whatever changes below; a second call thaws the layer.

        Raises EditorError when the layer has no result yet.
        """
        layer = self.layer
        if not layer.rendered and not layer.baked:
            raise EditorError(f"{layer.name} has no result yet that could be frozen.")
        self.jobs.cancel_layer(layer.id)
        label = "Thaw" if layer.baked else "Freeze"
        self.studio.document.replace(label, replace(layer, baked=not layer.baked))

    def rerun(self) -> None:
        """Run the recipe again without changing the layer; report whether the result is the same.

        Raises EditorError when the layer has no result yet.
        """
        if not self.layer.rendered:
            raise EditorError(f"There is nothing to compare: run {self.layer.name} first.")
        self.jobs.enqueue(self.layer.id, is_comparison=True)

    def copy_recipe(self) -> str:
        """Put the recipe on the clipboard as JSON; returns the text."""
        text = json.dumps(self.layer.recipe.to_json(), indent=1)
        QGuiApplication.clipboard().setText(text)
        return text

    def mask_to_selection(self) -> None:
        """Select the region of the active AI layer. Raises EditorError when it has none."""
        layer = self.layer
        bounds = (
            layer.region.tight_bounds().translate(*layer.position) & self.studio.document.bounds
        )
        if not bounds:
            raise EditorError(f"Nothing is painted on {layer.name}: there is no region to select.")
        local = bounds.translate(-layer.position.x, -layer.position.y)
        alpha = layer.region.read(local)[..., 0]
        self.studio.document.select(Selection(bounds, alpha), "Region to selection")

    def from_selection(self) -> None:
        """Add an AI layer over the selection; it runs when live.

        Raises EditorError when nothing is selected.
        """
        selection = self.studio.document.selection
        if not selection:
            raise EditorError("Nothing is selected: draw a selection (M or L) first.")
        self.note_stroke(self._insert(selection, "AI layer from selection"))

    async def find_words(self, words: str = "") -> None:
        """Select what some words refer to, or what the prompt would change.

        Raises EditorError when no prompt is written, or nothing is found.
        """
        recipe = self.current_recipe.shown
        sentence = source_prompt_of(recipe) or prompt_of(recipe)
        if not sentence.strip():
            raise EditorError("Write what the picture shows first, so that there is what to find.")
        if words:
            await self.word_selector.select_words(words, sentence, recipe.model)
        else:
            await self.word_selector.select_change(sentence, prompt_of(recipe), recipe.model)

    def _insert(self, selection: Selection, label: str) -> str:
        region = Tiles(channels=1)
        region.write(selection.bounds, selection.read(selection.bounds)[..., None])
        recipe = self.current_recipe.offer_for_stroke()
        layer = AiLayer(name_for(prompt_of(recipe)), recipe=recipe, region=region.prune())
        self.studio.document.insert(label, layer)
        return layer.id

    def note_stroke(self, layer_id: str) -> None:
        """Note that a region was painted: for the live loop and for the fresh layer."""
        self.seeds.note_stroke(layer_id)
        self.live.note_stroke(layer_id)

    def state_of(self, node: Node) -> str:
        """The state of a layer in a word, such as running or frozen; empty when all is well."""
        if not isinstance(node, AiLayer):
            return ""
        job = self.jobs.current(node.id)
        if job is not None:
            return "running" if job is self.jobs.running else "waiting"
        if node.id in self.jobs.failures:
            return "failed"
        if node.baked:
            return "frozen"
        if not node.rendered:
            return "waiting" if self.live.is_on else "press Run"
        return "stale" if node.id in self.live.stale else ""

    # The canvas

    def connect(self, canvas: "Canvas") -> None:
        """Connect strokes, wheel and previews of one canvas."""
        canvas.prepare = self._prepare
        canvas.wheel_filters.append(self.seeds.handle_wheel)
        self.jobs.previewed.connect(lambda preview: _show_preview(canvas, preview))
        self.jobs.changed.connect(lambda job: self._tint(canvas, job))

    def _prepare(self, context: "GestureContext") -> "GestureContext":
        if not self.studio.tool.paints_region:
            return replace(context, stroked=self.note_stroke)
        return replace(
            context,
            recipe=self.current_recipe.offer_for_stroke(),
            stroked=self.note_stroke,
            is_pending=self._is_pending,
            has_new_words=self.current_recipe.has_new_words,
        )

    def _is_pending(self, layer_id: str) -> bool:
        """Whether what the person asked of a layer is still to come."""
        job = self.jobs.current(layer_id)
        return job is not None and not (job.is_refresh or job.is_comparison)

    def _tint(self, canvas: "Canvas", job: "Job") -> None:
        """Tint the region of a layer until a preview or a result can be shown in its place."""
        if canvas.is_gesturing:
            return
        layer = self.current_recipe.layer
        is_blank = layer is not None and layer.id == job.layer and not layer.rendered
        waits = not job.stage.is_over and job.preview_ms is None
        canvas.region.layer = layer if is_blank and waits else None
        canvas.update()


def _show_preview(canvas: "Canvas", preview: "JobPreview") -> None:
    canvas.show_preview(preview.layer, preview.rect, preview.tiles)
    if preview.tiles is not None and not canvas.is_gesturing:
        canvas.region.layer = None
