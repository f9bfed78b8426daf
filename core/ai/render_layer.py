"""Runs the task of one AI layer with a model and gives the layer's pixels."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.ai.crop import Floats, Geometry, from_model
from core.ai.layer import LayerTask, make_task
from core.ai.layer_pixels import layer_pixels
from core.ai.residual import is_plain
from core.catalog import techniques
from core.diffusion.model import Image, Model
from core.errors import ModelError, TechniqueError
from core.geometry import Size

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from core.diffusion.model import Step
    from core.paint.tiles import Pixels


def render_layer(
    layer_task: LayerTask, model: Model, models: "Mapping[str, Model] | None" = None
) -> "Generator[Step, None, Pixels]":
    """Yield the technique's steps, then return the layer's pixels.

    The pixels are height x width x 4 uint8 over layer_task.rect, premultiplied RGBA, 0..255.
    ``models`` are those that parameters of the recipe name, by parameter. Raises TechniqueError
    when the model lacks what the technique needs, ModelError when the result is not finite.
    """
    geometry = Geometry(model.native, model.multiple)
    task = replace(make_task(layer_task, geometry, model.factor), models=models or {})
    technique = techniques[layer_task.recipe.technique]
    lacking = sorted(technique.needs - model.capabilities)
    if lacking:
        raise TechniqueError(f"{technique.label} needs a model with {', '.join(lacking)}.")
    result = yield from technique().run(task, model)
    if not np.isfinite(result).all():
        raise ModelError(f"{model.label} ended in values that are not numbers; choose another.")
    original = (
        result if is_plain(layer_task.amount) else round_trip(model, task.image, task.image_key)
    )
    size = Size(layer_task.rect.width, layer_task.rect.height)
    back = [from_model(picture, size, geometry) for picture in (result, original)]
    return layer_pixels(
        layer_task.crop,
        layer_task.painted,
        back[0],
        back[1],
        layer_task.lengths,
        layer_task.amount,
        layer_task.opacity,
    )


def round_trip(model: Model, image: Image, key: str) -> Floats:
    """Encode and decode a picture (height x width x 3 float32, 0..1); cached under its key."""
    decoded: Floats = model.cache.get(
        ("round-trip", model.identity, key), lambda: model.decode(model.encode(image))
    )
    return decoded
