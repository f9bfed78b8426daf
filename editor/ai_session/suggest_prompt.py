"""Suggest a source prompt: the worker describes the picture that the next edit starts from."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from core.ai.crop import Geometry
from core.ai.layer import make_layer_task
from core.ai.recipe_values import value_of
from core.errors import EditorError
from core.paint.document import Document, scratch_document
from core.paint.layers import AiLayer
from core.paint.selection import Selection
from core.paint.tiles import Pixels, Tiles
from core.params import SourcePrompt
from editor.ai_session.layer_results import freeze_layer

if TYPE_CHECKING:
    from core.paint.edits import DocumentState
    from core.task import Recipe
    from editor.ai_session.current_recipe import CurrentRecipe
    from editor.ai_session.job_queue import JobQueue
    from editor.studio import Studio

LOOKING = "Looking at the picture…"
UNKNOWN_GEOMETRY = Geometry(512, 8)
"""For a model that is not loaded yet; it decides only how much around a region is described."""
MAX_SIDE = 512
"""Longest side of the picture that is sent, in pixels; no describer uses more."""


class PromptSuggester:
    """Gets a description from the worker, and drops it when the field has changed meanwhile."""

    def __init__(self, studio: "Studio", jobs: "JobQueue", recipes: "CurrentRecipe") -> None:
        self.studio, self.jobs, self.current_recipe = studio, jobs, recipes

    async def suggest(self) -> str:
        """The text to fill in; empty when the source prompt or the layer changed meanwhile.

        Raises EditorError when there is no describer, or it recognises nothing.
        """
        self.jobs.noted.emit(LOOKING)
        target = self._target()
        text = await self._describe()
        if self._target() != target:
            self.jobs.noted.emit(f"Kept what is written; suggested was: {text}")
            return ""
        self.jobs.noted.emit(f"Suggested: {text}")
        return text

    async def _describe(self) -> str:
        recipe, layer, engine = (
            self.current_recipe.shown,
            self.current_recipe.layer,
            self.jobs.engine,
        )
        document = self.studio.document
        state, still = document.recorded, None
        if layer is not None:
            state, still = freeze_layer(document, layer.id)
        facts = engine.models.get(recipe.model)
        geometry = facts.geometry if facts else UNKNOWN_GEOMETRY
        picture = await self.jobs.run_in_thread(_crop_picture, state, still, recipe, geometry)
        text = await engine.describe(picture, recipe.model)
        if not text:
            raise EditorError("Nothing was recognised: write what the picture shows.")
        return text

    def _target(self) -> tuple[Any, ...]:
        """What the text is for: the document, the layer and its present source prompt."""
        layer = self.current_recipe.layer
        words = value_of(self.current_recipe.shown, SourcePrompt)
        return self.studio.document, layer.id if layer else "", words


def _crop_picture(
    state: "DocumentState", layer: AiLayer | None, recipe: "Recipe", geometry: Geometry
) -> Pixels:
    """The crop below a layer, or where the next one would be, made small.

    Returns height x width x 3 uint8, RGB, 0..255.
    """
    document = scratch_document(state)
    if layer is None:
        layer = AiLayer("Look", recipe=recipe, region=_make_region(document))
        document.insert("Look", layer, document.root.id, len(document.root.children))
    return _shrink(make_layer_task(document, layer, geometry).crop)


def _make_region(document: Document) -> Tiles:
    """The selection as a region, or the whole canvas."""
    selection = document.selection or Selection(document.bounds)
    region = Tiles(channels=1)
    region.write(selection.bounds, selection.read(selection.bounds)[..., None])
    return region


def _shrink(picture: Pixels) -> Pixels:
    scale = MAX_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = [max(1, round(side * scale)) for side in (picture.shape[1], picture.shape[0])]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
