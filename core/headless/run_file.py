"""Runs a verb or a technique on a picture file, as an AI layer, without a window."""

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core import catalog, params
from core.ai.crop import Geometry
from core.ai.layer import flatten_on_white, make_layer_task, with_result
from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import prompt_of, source_prompt_of
from core.ai.recipe_words import with_words
from core.ai.verb_recipes import is_found_by_words, verb_recipe
from core.ai.word_region import make_search_task, region_of, search_recipe
from core.describers.dispatch import describe_picture
from core.engine.engine import Engine, WorkerOptions
from core.engine.job_stream import JobStream
from core.engine.messages import JobDone, JobFailed, JobStarted, JobStep
from core.errors import EditorError, FileError
from core.files.atomic import refuse_unwritable
from core.formats.opening import format_for, open_document, save_document
from core.models.opening import warn_of_unknown_words
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer
from core.paint.tiles import Pixels, Tiles
from core.plugins import SHIPPED, load_plugins
from core.settings import folders
from core.task import ModifierSetting, Recipe

Report = Callable[[str], None]


@dataclass(frozen=True)
class RunOrder:
    """What to run on which files; ``technique`` is the id of a verb or of a technique.

    Without a mask a verb finds what is there by its words, or else changes the whole picture.
    """

    technique: str
    picture: Path
    out: Path
    mask: Path | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    model: str = "storybook"
    modifiers: tuple[ModifierSetting, ...] = ()
    device: str = "auto"


NEXT_KEY = re.compile(r",(?=\s*\w+=)")
"""A comma that begins another ``key=value``: others belong to the text before them."""


class WorkerBugError(RuntimeError):
    """A bug in the worker, with its trace."""


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Parse ``key=value`` texts into a mapping. Raises EditorError for one without '='."""
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise EditorError(f"{key!r} sets nothing: write KEY=VALUE, such as steps=12.")
    return {key: value for key, _, value in pairs}


def parse_modifier(text: str) -> ModifierSetting:
    """Parse ``cfg`` or ``cfg:scale=5,rescale=0.7`` into a modifier with checked parameters."""
    name, _, rest = text.partition(":")
    catalog.load("modifiers")
    kind = catalog.modifiers[name]
    values = parse_assignments(NEXT_KEY.split(rest)) if rest else {}
    return ModifierSetting(name, params.to_json(params.from_json(catalog.params_of(kind), values)))


def run_order(order: RunOrder, report: Report | None = None) -> dict[str, Any]:
    """Run an order and write its file; return the facts of the run.

    Raises EditorError for every mistake in the order or its files, WorkerBugError for a bug.
    """
    document, layer = prepare_document(order)
    # Before the work, not after it.
    format_for(order.out)
    refuse_unwritable(order.out)
    recipe = layer.recipe
    unknown = warn_of_unknown_words(order.model, source_prompt_of(recipe), prompt_of(recipe))
    if unknown and report is not None:
        report(unknown)
    done = asyncio.run(_render(document, layer, order, report or _ignore_progress))
    save_document(document, order.out)
    notes = [*filter(None, [unknown]), *done.facts["notes"]]
    return {"out": str(order.out), **done.facts, "notes": notes}


def describe_file(picture: Path, model: str) -> str:
    """Describe a picture file in words that suit a model. Raises EditorError when nobody can."""
    load_plugins(SHIPPED, folders().plugins)
    document = open_document(picture)
    pixels = flatten(document.root, document.bounds)
    text = describe_picture(flatten_on_white(pixels), model)
    if not text:
        raise EditorError(f"Nothing was recognised in {picture}.")
    return text


def prepare_document(order: RunOrder) -> tuple[Document, AiLayer]:
    """Open the picture as a document, with an AI layer on top that is not rendered yet."""
    catalog.load("techniques", "verbs")
    load_plugins(SHIPPED, folders().plugins)
    recipe, label = _make_recipe(order)
    document = open_document(order.picture)
    region = _read_mask(order.mask, document)
    layer = AiLayer(label, recipe=recipe, region=region)
    document.insert(label, layer, document.root.id, len(document.root.children))
    return document, layer


def _make_recipe(order: RunOrder) -> tuple[Recipe, str]:
    """The recipe of an order, and the label of its verb or technique."""
    if order.technique not in catalog.verbs:
        technique = catalog.techniques[order.technique]
        values = _with_absolute_paths(technique, order.params)
        recipe = default_recipe(technique.id, order.model, order.seed, values, order.modifiers)
        return recipe, technique.label
    verb = catalog.verbs[order.technique]
    words: dict[params.Meaning, str] = {
        kind: str(order.params.get(kind.usual_name, "")) for kind in params.PROMPTS
    }
    chosen = verb_recipe(verb.id, order.model, order.seed, words)
    rest = {k: v for k, v in order.params.items() if k not in {w.usual_name for w in words}}
    values = _with_absolute_paths(catalog.techniques[chosen.technique], rest)
    recipe = verb_recipe(verb.id, order.model, order.seed, words, values)
    recipe = replace(
        recipe, modifiers=order.modifiers or recipe.modifiers, confined=order.mask is not None
    )
    return with_words(recipe, words), verb.label


def _with_absolute_paths(technique: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with absolute paths, so that the recipe is valid in every working folder."""
    kind = catalog.params_of(technique)
    paths = {field.name: str(path.absolute()) for field, path in params.named_files(kind, values)}
    models = params.named_models(kind, values)
    paths |= {field.name: _absolute_model(name) for field, name in models}
    return {**values, **paths}


def _absolute_model(model: str) -> str:
    """A model's absolute path; an id stays, even if this folder holds a file of that name."""
    catalog.load("models")
    is_path = model not in catalog.backends.ids() and Path(model).exists()
    return str(Path(model).absolute()) if is_path else model


def _read_mask(mask: Path | None, document: Document) -> Tiles:
    """The region of the edit: the mask's brightness, or everything. Raises FileError."""
    size = document.size
    if mask is None:
        return Tiles.of(np.full((size.height, size.width, 1), 255, np.uint8))
    painted = open_document(mask)
    if painted.size != size:
        raise FileError(
            f"The mask {mask} is {painted.size.width} x {painted.size.height}, "
            f"the picture {size.width} x {size.height}; they must be the same."
        )
    return Tiles.of(_brightness(flatten(painted.root, painted.bounds)))


def _brightness(pixels: Pixels) -> Pixels:
    """The mean of premultiplied red, green and blue: transparent counts as black."""
    mean = pixels[..., :3].mean(axis=2, keepdims=True)
    brightness: Pixels = np.rint(mean).astype(np.uint8)
    return brightness


async def _render(document: Document, layer: AiLayer, order: RunOrder, report: Report) -> JobDone:
    """Render the layer in a worker and put the result into the document."""
    engine = Engine(WorkerOptions(order.device))
    engine.start()
    try:
        report(f"Opening {order.model}")
        facts = await engine.open(order.model)
        if order.mask is None and is_found_by_words(layer.recipe):
            report("Looking for what is there")
            layer = await _find_region(engine, document, layer, facts.geometry)
        task = make_layer_task(document, layer, facts.geometry)
        done = await _await_result(engine.submit(task), report)
    finally:
        engine.close()
        report("")
    model_hash = str(done.facts["model_hash"])
    document.replace(layer.name, with_result(document, task, done.pixels, model_hash))
    return done


async def _find_region(
    engine: Engine, document: Document, layer: AiLayer, geometry: Geometry
) -> AiLayer:
    """The layer with the region that its words name. Raises EditorError when nothing is found."""
    words = source_prompt_of(layer.recipe)
    recipe = search_recipe(words, words, layer.recipe.model)
    task = make_search_task(document.state, recipe, geometry)
    done = await _await_result(engine.submit(task), _ignore_progress)
    alpha = region_of(task, done.pixels, layer.recipe.verb)
    if not alpha.any():
        raise EditorError(f"Nothing was found for {words}: name its place with --mask.")
    layer = replace(layer, region=Tiles.of(alpha[..., None]))
    document.replace("Region", layer)
    return layer


async def _await_result(stream: JobStream, report: Report) -> JobDone:
    async for message in stream:
        if isinstance(message, JobDone):
            return message
        if isinstance(message, JobStarted) and message.loading:
            report(f"Loading {message.loading}")
        elif isinstance(message, JobStep):
            report(f"Step {message.n} of {message.of}")
        elif isinstance(message, JobFailed):
            _handle_failure(message, report)
    raise EditorError("The run was stopped.")


def _handle_failure(failure: JobFailed, report: Report) -> None:
    if failure.retry:
        report(f"{failure.text} Trying {failure.retry}.")
    elif failure.is_bug:
        raise WorkerBugError(f"{failure.text}\n{failure.trace}")
    else:
        raise EditorError(failure.text)


def _ignore_progress(text: str) -> None:
    """Does nothing with the progress of a run."""
