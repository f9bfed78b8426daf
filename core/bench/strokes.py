"""AI strokes like those of the editor: a document, a painted region, a task, a result."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.ai.layer import make_layer_task, with_result
from core.engine.engine import Engine
from core.engine.messages import JobCancelled, JobDone, JobFailed, JobStep, ModelOpened
from core.errors import EditorError
from core.geometry import EMPTY, Rect, Size
from core.paint.document import Document
from core.paint.layers import AiLayer, Layer
from core.paint.tiles import Pixels, Tiles
from core.params import Value
from core.task import Recipe

MASK_SIDE = 256
"""Side of the painted region in pixels, the same on every document."""


@dataclass
class Stroke:
    """The times of a stroke, in seconds since the pen was lifted, its crop and its facts."""

    preview: float = 0.0
    final: float = 0.0
    crop: Rect = EMPTY
    steps: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def make_picture(size: Size) -> Document:
    """Make an opaque document with soft structure everywhere."""
    y, x = np.mgrid[: size.height, : size.width].astype(np.float32)
    waves = [127 + 90 * np.sin(x / (23 + 9 * k)) * np.cos(y / (31 + 7 * k)) for k in range(3)]
    pixels = np.stack([*waves, np.full_like(x, 255)], axis=2).astype(np.uint8)
    document = Document(size)
    document.insert("Picture", Layer("Picture", tiles=Tiles.of(pixels)))
    return document


def add_ai_layer(document: Document, model: str, seed: int, **params: Value) -> AiLayer:
    """Add a layer on top of the document, with the middle of the canvas painted."""
    width, height = document.size
    area = Rect((width - MASK_SIDE) // 2, (height - MASK_SIDE) // 2, MASK_SIDE, MASK_SIDE)
    region = Tiles.of(draw_disc(MASK_SIDE), area.x, area.y)
    recipe = Recipe("layered-brush", {"prompt": "a red apple", **params}, model, (), seed)
    layer = AiLayer("Edit", recipe=recipe, region=region)
    document.insert("Edit", layer)
    return layer


def draw_disc(side: int) -> Pixels:
    """Draw a disc that touches the sides: (side, side, 1) uint8, 0..255, 255 inside."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    inside: Pixels = np.where(x * x + y * y <= side * side / 4, 255, 0).astype(np.uint8)
    return inside[..., None]


async def time_stroke(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened
) -> Stroke:
    """Time one stroke, from its task to the document with the result.

    Raises EditorError when the job fails.
    """
    stroke, began = Stroke(), time.perf_counter()
    task = make_layer_task(document, layer, facts.geometry)
    stroke.crop = task.rect
    async for message in engine.submit(task):
        now = time.perf_counter() - began
        if isinstance(message, JobStep):
            stroke.steps.append(now)
            if message.preview is not None and not stroke.preview:
                stroke.preview = now
        elif isinstance(message, JobDone):
            stroke.facts = dict(message.facts)
            result = with_result(document, task, message.pixels, stroke.facts["model_hash"])
            document.replace("Edit", result)
            stroke.final = time.perf_counter() - began
        elif isinstance(message, JobFailed) and not message.retry:
            raise EditorError(f"A stroke failed: {message.text}")
    return stroke


async def time_cancel(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened, delay: float
) -> float:
    """Cancel a stroke some time after its second step; return the seconds until JobCancelled.

    Raises EditorError when the stroke ends before.
    """
    stream = engine.submit(make_layer_task(document, layer, facts.geometry))
    began = 0.0
    async for message in stream:
        if isinstance(message, JobStep) and message.n == 2:
            await asyncio.sleep(delay)
            began = time.perf_counter()
            stream.cancel()
        elif isinstance(message, JobCancelled):
            return time.perf_counter() - began
    raise EditorError("A stroke ended before it could be cancelled; use more steps.")


@asynccontextmanager
async def running_engine() -> AsyncIterator[Engine]:
    """Start an engine on the accelerator, or the CPU if there is none, and close it."""
    engine = Engine()
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def open_storybook() -> Iterator[tuple[str, str]]:
    """Give the shipped model and its description; random weights when it is not installed."""
    from core.storybook.layout import DESCRIPTION, FOLDER, Layout

    if (FOLDER / DESCRIPTION).is_file():
        trained = json.loads((FOLDER / DESCRIPTION).read_text("utf-8")).get("trained", {})
        yield "storybook", f"storybook, trained for {trained.get('steps', 'unknown')} steps"
        return
    from core.storybook.random_model import build_random

    with tempfile.TemporaryDirectory() as folder:
        build_random(Path(folder), Layout())
        yield folder, "random weights in the storybook layout"
