"""AI layers in a document: their tasks, their results, and when a result is out of date.

The input of a layer is the picture below it. AI layers below count only where what they show
meets what this one may change. So layers that do not meet give the same picture in either order,
and a change elsewhere makes nothing stale.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from core.ai.crop import Geometry, context, origin, to_model
from core.ai.footprint import Footprint, below, footprint, refuse_huge
from core.ai.input_pictures import load_input_pictures
from core.ai.masks import FIRM, Transition, denoise_mask, inner_edge, transition
from core.ai.recipe_inputs import has_all_inputs, input_stamps
from core.ai.recipe_values import starts_from_picture
from core.ai.residual import edit_amount
from core.catalog import params_of, techniques
from core.errors import TechniqueError
from core.geometry import Rect, Size
from core.paint.flatten import flatten
from core.paint.layers import AiLayer
from core.paint.tiles import Pixels, Tiles
from core.params import from_json
from core.task import Recipe, Task

if TYPE_CHECKING:
    from core.paint.document import Document


@dataclass(frozen=True, eq=False)
class LayerTask:
    """What the worker gets for one layer: pixels of the canvas, not yet at the model's size.

    ``crop`` is height x width x 3 uint8, ``painted`` height x width uint8 (255 = edit), both over
    ``rect`` of a ``canvas``. ``bounds`` are those of everything painted. ``key`` identifies the
    input that the result belongs to. ``opacity``, shaped like ``painted``, is the alpha
    below where the edit keeps what is transparent, else None.
    """

    layer: str
    recipe: Recipe
    rect: Rect
    bounds: Rect
    canvas: Size
    crop: Pixels
    painted: Pixels
    key: str
    opacity: Pixels | None = None

    @property
    def amount(self) -> float:
        return edit_amount(self.recipe)

    @property
    def lengths(self) -> Transition:
        return transition(self.bounds, self.amount, self.recipe.confined)


def make_layer_task(document: "Document", layer: AiLayer, geometry: Geometry) -> LayerTask:
    """Freeze everything that one run of a layer needs.

    Raises TechniqueError when nothing is painted, when it lies off the canvas, or when the
    region is too large.
    """
    where = footprint(document, layer)
    rect = input_rect(document, where, geometry)
    refuse_huge(layer, rect)
    backdrop = flatten(below(document, where), rect)
    key = _key(where, backdrop[where.area.translate(-rect.x, -rect.y).slices])
    painted = where.read_painted(rect)
    return LayerTask(
        layer.id,
        layer.recipe,
        rect,
        where.bounds,
        document.size,
        flatten_on_white(backdrop),
        painted,
        key,
        _limit(where, painted, kept_opacity(where, document.size, backdrop[..., 3])),
    )


def _limit(where: Footprint, painted: Pixels, kept: Pixels | None) -> Pixels | None:
    """The most that the result may show, where the edit is confined to what is painted too."""
    if not where.layer.recipe.confined:
        return kept
    edge = inner_edge(painted, where.bounds)
    return edge if kept is None else np.minimum(edge, kept)


def kept_opacity(where: Footprint, canvas: Size, alpha: Pixels) -> Pixels | None:
    """The alpha of the picture below, which limits the result, or None where nothing does.

    alpha: height x width uint8, 0..255. An edit of what is there keeps what is transparent, and so
    does anything that runs on a whole picture. What paints new things into a painted region fills
    it, and so does what starts from no picture, or finds nothing but transparency.
    """
    if not alpha.any() or not (alpha < 255).any():
        return None
    kind = techniques[where.layer.recipe.technique]
    is_whole = where.bounds.size == canvas and bool((where.painted >= FIRM).all())
    if not starts_from_picture(where.layer.recipe) or (kind.needs_mask and not is_whole):
        return None
    return np.ascontiguousarray(alpha)


def make_task(layer_task: LayerTask, geometry: Geometry, factor: int) -> Task[Any]:
    """Make the task of a technique: checked parameters, pictures at the model's size.

    Raises EditorError for a parameter that does not fit, or a file that cannot be read.
    """
    recipe = layer_task.recipe
    params = from_json(params_of(techniques[recipe.technique]), recipe.params)
    mask = denoise_mask(layer_task.painted, layer_task.lengths)
    image, denoise = to_model(layer_task.crop, mask, geometry)
    pictures = load_input_pictures(recipe, layer_task.canvas, layer_task.rect, geometry)
    corner = origin(layer_task.rect, geometry, factor)
    return Task(recipe, params, image, denoise, corner, pictures)


def with_result(document: "Document", task: LayerTask, pixels: Pixels, model_hash: str) -> AiLayer:
    """Return the task's layer, as the document has it, with the pixels of a result.

    pixels: height x width x 4 uint8 over task.rect, premultiplied RGBA, 0..255. Raises
    TechniqueError when the layer is no AI layer any more, EditorError when it has been deleted.
    """
    layer = document.find(task.layer)
    if not isinstance(layer, AiLayer):
        raise TechniqueError(f"{layer.name} is no longer an AI layer.")
    rect = task.rect.translate(-layer.position.x, -layer.position.y)
    tiles = Tiles.of(pixels, rect.x, rect.y)
    recipe = replace(layer.recipe, model_hash=model_hash)
    return replace(layer, tiles=tiles, recipe=recipe, rendered=task.key)


def input_rect(document: "Document", where: Footprint, geometry: Geometry) -> Rect:
    """Return the crop that the model gets: the recipe's context box, or one that fits."""
    chosen = where.layer.recipe.context & document.bounds
    if chosen:
        return chosen | where.area
    return context(where.bounds, document.bounds, geometry, where.lengths.reach)


def result_key(document: "Document", layer: AiLayer) -> str:
    """Hash what decides the result: the pixels below that may change, the region, the recipe."""
    where = footprint(document, layer)
    return _key(where, flatten(below(document, where), where.area))


def stale_key(document: "Document", layer: AiLayer) -> str:
    """The key of the present input if the layer's pixels belong to another one; else empty.

    A layer whose recipe names a picture or model that is gone is not stale: it keeps its pixels.
    """
    if layer.baked or not has_all_inputs(layer.recipe):
        return ""
    try:
        key = result_key(document, layer)
    except TechniqueError:
        return ""
    return key if key != layer.rendered else ""


def _key(where: Footprint, backdrop: Pixels) -> str:
    """Hash a layer's input; backdrop is the flattened picture below, over the footprint's area."""
    recipe = where.layer.recipe
    text = f"{where.area}{recipe.key}{input_stamps(recipe)}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    for pixels in (where.painted, cv2.bitwise_and(backdrop, backdrop, mask=where.support)):
        digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def flatten_on_white(pixels: Pixels) -> Pixels:
    """Lay premultiplied RGBA (height x width x 4 uint8, 0..255) on white; returns RGB, uint8."""
    return pixels[..., :3] + (255 - pixels[..., 3:])
