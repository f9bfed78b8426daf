"""Where words are in a picture: the search as a task, and the region that its answer shows."""

from dataclasses import replace
from typing import TYPE_CHECKING

from core.ai.layer import LayerTask, make_layer_task
from core.ai.outline import fill_hull, find_outline
from core.ai.recipe_defaults import default_recipe
from core.catalog import params_of, techniques, verbs
from core.paint.document import scratch_document
from core.paint.layers import AiLayer
from core.paint.tiles import Pixels, Tiles
from core.params import Prompt, SourcePrompt, values_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.ai.crop import Geometry
    from core.paint.edits import DocumentState
    from core.params import Meaning, Value
    from core.task import Recipe

WORDS, CHANGE = "word-map", "difference-map"
"""The techniques that show where words are, and what they would change."""
NOISE = 0.7
"""Noise level of the difference map; at this one it shows whole things, not their outlines."""


def search_recipe(words: str, sentence: str, model: str) -> "Recipe":
    """The recipe of the search for what some words of a sentence refer to."""
    return _recipe(WORDS, {Prompt: words, SourcePrompt: sentence}, {"fit": True}, model)


def change_recipe(sentence: str, prompt: str, model: str) -> "Recipe":
    """The recipe of the search for what a prompt would change."""
    return _recipe(CHANGE, {Prompt: prompt, SourcePrompt: sentence}, {"noise": NOISE}, model)


def make_search_task(state: "DocumentState", recipe: "Recipe", geometry: "Geometry") -> LayerTask:
    """A task over the whole picture.

    Raises TechniqueError when the picture is too large.
    """
    scratch = scratch_document(state)
    region = Tiles.flat(scratch.bounds, (255,))
    search = AiLayer("Search", recipe=recipe, region=region)
    scratch.insert("Search", search, scratch.root.id, len(scratch.root.children))
    return make_layer_task(scratch, search, geometry)


def region_of(task: LayerTask, pixels: Pixels, verb: str = "") -> Pixels:
    """The region that a search found, height x width uint8, 255 inside.

    pixels: the answer, height x width x 4 uint8 over the task's rectangle, 0..255. A verb that
    makes room gets the convex hull of what was found.
    """
    outline = find_outline(task.crop, pixels[..., 0].copy())
    makes_room = verb in verbs and verbs[verb].makes_room
    return fill_hull(outline) if makes_room else outline


def _recipe(
    technique: str,
    prompts: "Mapping[Meaning, Value]",
    values: "Mapping[str, Value]",
    model: str,
) -> "Recipe":
    named = values_by_name(params_of(techniques[technique]), prompts)
    recipe = default_recipe(technique, model, 0, {**named, **values})
    return replace(recipe, modifiers=())
