"""One AI layer from request to pixels, wherever a model is: the worker and the command line."""

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
    request: LayerTask, model: Model, models: "Mapping[str, Model] | None" = None
) -> "Generator[Step, None, Pixels]":
    """Steps while the model works, then RGBA premultiplied pixels over request.rect.

    ``models`` are those that parameters of the recipe name, by parameter.

    Raises TechniqueError when the model lacks what the technique needs.
    """
    geometry = Geometry(model.native, model.multiple)
    task = replace(make_task(request, geometry, model.factor), models=models or {})
    technique = techniques[request.recipe.technique]
    lacking = sorted(technique.needs - model.capabilities)
    if lacking:
        raise TechniqueError(f"{technique.label} needs a model with {', '.join(lacking)}.")
    result = yield from technique().run(task, model)
    if not np.isfinite(result).all():
        raise ModelError(f"{model.label} ended in values that are not numbers; choose another.")
    original = result if is_plain(request.amount) else round_trip(model, task.image, task.image_key)
    size = Size(request.rect.width, request.rect.height)
    back = [from_model(picture, size, geometry) for picture in (result, original)]
    return layer_pixels(
        request.crop, request.painted, back[0], back[1], request.lengths, request.amount
    )


def round_trip(model: Model, image: Image, key: str) -> Floats:
    """A picture after encode and decode, kept beside the model."""
    made: Floats = model.cache.get(
        ("round-trip", model.identity, key), lambda: model.decode(model.encode(image))
    )
    return made
