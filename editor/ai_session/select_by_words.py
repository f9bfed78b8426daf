"""Select by words: the worker computes where they act in the picture."""

from dataclasses import replace
from typing import TYPE_CHECKING

from core.ai.layer import make_layer_task
from core.ai.outline import find_outline
from core.ai.recipe_defaults import default_recipe
from core.catalog import params_of, techniques
from core.engine.messages import JobDone, JobFailed
from core.errors import EditorError
from core.paint.document import Document, scratch_document
from core.paint.layers import AiLayer
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.params import Prompt, SourcePrompt, values_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.ai.crop import Geometry
    from core.ai.layer import LayerTask
    from core.engine.engine import Engine
    from core.paint.edits import DocumentState
    from core.paint.tiles import Pixels
    from core.params import Meaning, Value
    from core.task import Recipe
    from editor.ai_session.job_queue import JobQueue
    from editor.studio import Studio

NOISE = 0.7
"""Noise level of the difference map; at this one it shows whole things, not their outlines."""


class WordSelector:
    """Selects the outline of what words refer to, or of what they would change; one at a time."""

    def __init__(self, studio: "Studio", engine: "Engine", jobs: "JobQueue") -> None:
        self.studio, self.engine, self.jobs = studio, engine, jobs
        self.is_busy = False

    async def find_words(self, words: str, sentence: str, model: str) -> None:
        """Select what ``words`` of ``sentence`` refer to. Raises EditorError like ``find``."""
        prompts: dict[Meaning, Value] = {Prompt: words, SourcePrompt: sentence}
        await self.find(words, "word-map", prompts, {}, model)

    async def find_change(self, sentence: str, prompt: str, model: str) -> None:
        """Select what the prompt would change. Raises EditorError like ``find``."""
        prompts: dict[Meaning, Value] = {Prompt: prompt, SourcePrompt: sentence}
        await self.find("what changes", "difference-map", prompts, {"noise": NOISE}, model)

    async def find(
        self,
        what: str,
        technique: str,
        prompts: "Mapping[Meaning, Value]",
        values: "Mapping[str, Value]",
        model: str,
    ) -> None:
        """Select the outline of what a technique's picture shows bright.

        Raises EditorError when the model cannot run it, or nothing was found.
        """
        if self.is_busy:
            return
        self.is_busy = True
        self.jobs.noted.emit(f"Looking for {what}…")
        try:
            document = self.studio.document
            named = values_by_name(params_of(techniques[technique]), prompts)
            recipe = default_recipe(technique, model, 0, {**named, **values})
            recipe = replace(recipe, modifiers=())
            alpha = await self._compute_alpha(document, recipe)
        finally:
            self.is_busy = False
        found = Selection(document.bounds, alpha).tighten()
        if not found:
            raise EditorError(f"Nothing was found for {what}: select it by hand.")
        if document is self.studio.document:
            document.select(found, f"Select {what}")
            self.jobs.noted.emit(f"Selected {what}")

    async def _compute_alpha(self, document: Document, recipe: "Recipe") -> "Pixels":
        facts = await self.engine.open(recipe.model)
        task = await self.jobs.run_in_thread(_make_task, document.state, recipe, facts.geometry)
        async for message in self.engine.submit(task):
            if isinstance(message, JobDone):
                brightness = message.pixels[..., 0]
                return await self.jobs.run_in_thread(find_outline, task.crop, brightness)
            if isinstance(message, JobFailed) and not message.retry:
                raise EditorError(message.text)
        raise EditorError("The search was stopped.")


def _make_task(state: "DocumentState", recipe: "Recipe", geometry: "Geometry") -> "LayerTask":
    """A task over the whole picture."""
    scratch = scratch_document(state)
    region = Tiles.flat(scratch.bounds, (255,))
    layer = AiLayer("Search", recipe=recipe, region=region)
    scratch.insert("Search", layer, scratch.root.id, len(scratch.root.children))
    return make_layer_task(scratch, layer, geometry)
