"""Documents with AI layers, and running them in-process on the toy model."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.ai import layer as ai
from core.ai.crop import Geometry
from core.ai.render_layer import render_layer
from core.diffusion.model import Model
from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.layers import AiLayer, Layer, walk
from core.paint.tiles import Pixels, Tiles
from core.task import Recipe

catalog.load("techniques", "models")


@pytest.fixture
def model() -> Model:
    return catalog.backends["toy"].load("toy")


def picture(size: Size, seed: int = 0) -> Pixels:
    """An opaque smooth picture with some noise, RGBA."""
    y, x = np.mgrid[: size.height, : size.width]
    noise = np.random.default_rng(seed).integers(0, 30, (size.height, size.width))
    waves = [100 + 80 * np.sin(x / 37 + k) * np.cos(y / 29 - k) + noise for k in range(3)]
    opaque = np.full(noise.shape, 255)
    return np.stack([*waves, opaque], axis=2).clip(0, 255).astype(np.uint8)


def document(width: int = 320, height: int = 256) -> Document:
    made = Document(Size(width, height))
    made.insert("Picture", Layer("Picture", tiles=Tiles.of(picture(made.size))))
    return made


def region(*rects: Rect) -> Tiles:
    tiles = Tiles(channels=1)
    for rect in rects:
        tiles.write(rect, np.full((rect.height, rect.width, 1), 255, np.uint8))
    return tiles.prune()


def ai_layer(*rects: Rect, name: str = "Edit", seed: int = 1, **params: Any) -> AiLayer:
    recipe = Recipe(
        "sdedit", {"prompt": "red", "steps": 4, "strength": 0.5, **params}, "toy", (), seed
    )
    return AiLayer(name, recipe=recipe, region=region(*rects), position=Point(0, 0))


def run(document: Document, layer: AiLayer, model: Model) -> AiLayer:
    """Render one layer and put the result into the document."""
    now = document.find(layer.id)
    assert isinstance(now, AiLayer)
    task = ai.make_layer_task(document, now, Geometry(model.native, model.multiple))
    steps = render_layer(task, model)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            done = ai.with_result(document, task, end.value, model.identity)
            document.replace("AI", done)
            return done


def stale(document: Document) -> Iterator[AiLayer]:
    """Visible AI layers that are out of date, from bottom to top; read one, then run it."""
    for node in walk(document.root):
        if isinstance(node, AiLayer) and node.visible and ai.stale_key(document, node):
            yield node


def hidden(document: Document, layer: AiLayer, visible: bool = False) -> None:
    document.replace("Hide", replace(document.find(layer.id), visible=visible))
