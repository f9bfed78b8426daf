"""One technique on a picture file without a window: the way an AI layer goes, from file to file."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core import catalog, params
from core.ai.layer import over_white, request_for, with_result
from core.ai.recipe_defaults import usual_recipe
from core.describers.dispatch import described
from core.engine.engine import Engine
from core.engine.job_stream import Run
from core.engine.messages import Done, Failed, Started, Step
from core.errors import EditorError, FileError
from core.formats.opening import format_for, open_document, save_document
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer
from core.paint.tiles import Pixels, Tiles
from core.plugins import SHIPPED, load_plugins
from core.settings import folders
from core.task import Wrapped

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What to run on which files; without a mask the whole picture may change."""

    technique: str
    picture: Path
    out: Path
    mask: Path | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    model: str = "storybook"
    modifiers: tuple[Wrapped, ...] = ()
    device: str = "auto"


class WorkerBugError(RuntimeError):
    """Something in the worker went wrong that is nobody's mistake; carries its trace."""


def assignments(texts: Sequence[str]) -> dict[str, str]:
    """``key=value`` words as a mapping. Raises EditorError for one without '='."""
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise EditorError(f"{key!r} sets nothing: write KEY=VALUE, such as steps=12.")
    return {key: value for key, _, value in pairs}


def modifier(text: str) -> Wrapped:
    """``cfg`` or ``cfg:scale=5,rescale=0.7`` as a modifier with checked parameters."""
    name, _, rest = text.partition(":")
    catalog.load("modifiers")
    kind = catalog.modifiers[name]
    values = assignments(rest.split(",")) if rest else {}
    return Wrapped(name, params.to_json(params.from_json(catalog.params_of(kind), values)))


def carry_out(order: Order, say: Say | None = None) -> dict[str, Any]:
    """Run an order and write its file; the facts of the run.

    Raises EditorError for every mistake in the order or its files, WorkerBugError for one of ours.
    """
    document, layer = prepared(order)
    format_for(order.out)  # before the work, not after it
    done = asyncio.run(_finished(document, layer, order, say or _quiet))
    save_document(document, order.out)
    return {"out": str(order.out), **done.facts}


def words_for(picture: Path, model: str) -> str:
    """What a picture file shows, in words that suit a model. Raises EditorError."""
    load_plugins(SHIPPED, folders().plugins)
    document = open_document(picture)
    pixels = flatten(document.root, document.bounds)
    text = described(over_white(pixels), model)
    if not text:
        raise EditorError(f"Nothing was recognised in {picture}.")
    return text


def prepared(order: Order) -> tuple[Document, AiLayer]:
    """The picture as a document with an AI layer over it that is yet to be rendered."""
    catalog.load("techniques")
    load_plugins(SHIPPED, folders().plugins)
    technique = catalog.techniques[order.technique]
    values = _anchored(technique, order.params)
    recipe = usual_recipe(technique.id, order.model, order.seed, values, order.modifiers)
    document = open_document(order.picture)
    region = _region(order.mask, document)
    layer = AiLayer(technique.label, recipe=recipe, region=region)
    document.insert(technique.label, layer, document.root.id, len(document.root.children))
    return document, layer


def _anchored(technique: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with whole paths: a recipe outlives the folder in which it was asked for."""
    kind = catalog.params_of(technique)
    whole = {field.name: str(path.absolute()) for field, path in params.files(kind, values)}
    whole |= {field.name: _whole(name) for field, name in params.models(kind, values)}
    return {**values, **whole}


def _whole(model: str) -> str:
    """A model's path in full; an id stays, whatever lies in this folder by its name."""
    catalog.load("models")
    is_path = model not in catalog.backends.ids() and Path(model).exists()
    return str(Path(model).absolute()) if is_path else model


def _region(mask: Path | None, document: Document) -> Tiles:
    """Where the edit may act: the mask's brightness, or everything."""
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


async def _finished(document: Document, layer: AiLayer, order: Order, say: Say) -> Done:
    """Render the layer in a worker and put the result into the document."""
    engine = Engine(order.device)
    engine.start()
    try:
        say(f"Opening {order.model}")
        facts = await engine.open(order.model)
        request = request_for(document, layer, facts.geometry)
        done = await _last(engine.submit(request), say)
    finally:
        engine.close()
        say("")
    model_hash = str(done.facts["model_hash"])
    document.replace(layer.name, with_result(document, request, done.pixels, model_hash))
    return done


async def _last(run: Run, say: Say) -> Done:
    async for message in run:
        if isinstance(message, Done):
            return message
        if isinstance(message, Started) and message.loading:
            say(f"Loading {message.loading}")
        elif isinstance(message, Step):
            say(f"Step {message.n} of {message.of}")
        elif isinstance(message, Failed):
            _take(message, say)
    raise EditorError("The run was stopped.")


def _take(failure: Failed, say: Say) -> None:
    if failure.retry:
        say(f"{failure.text} Trying {failure.retry}.")
    elif failure.is_bug:
        raise WorkerBugError(f"{failure.text}\n{failure.trace}")
    else:
        raise EditorError(failure.text)


def _quiet(text: str) -> None:
    """Progress that nobody looks at."""
