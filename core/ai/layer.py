"""AI layers in a document: what a model is asked, what comes back, and when it is out of date.

The input of a layer is the picture below it. AI layers below count only where what they show
meets what this one may change, so layers apart from each other give the same picture in either
order, and a change elsewhere makes nothing stale.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ai.crop import Geometry, context, origin, to_model
from core.ai.masks import Transition, denoise_mask, transition
from core.ai.residual import change
from core.catalog import params_of, techniques
from core.composite import flatten
from core.engine.task import Recipe, Task
from core.errors import TechniqueError
from core.geometry import Rect
from core.layers import AiLayer, Group, extent, replaced, walk
from core.params import from_json
from core.pixels import Pixels, Tiles

if TYPE_CHECKING:
    from core.document import Document

LARGEST = 8192 * 8192
"""Pixels in one crop: above this the copies sent to the model would fill the memory."""


@dataclass(frozen=True, eq=False)
class Request:
    """What the worker gets for one layer: bytes of the canvas, not yet at the model's size.

    ``crop`` is height x width x 3, ``painted`` height x width (255 = edit), both over ``rect``;
    ``bounds`` are those of everything painted; ``key`` names the input the result belongs to.
    """

    layer: str
    recipe: Recipe
    rect: Rect
    bounds: Rect
    crop: Pixels
    painted: Pixels
    key: str

    @property
    def amount(self) -> float:
        return change(self.recipe)

    @property
    def lengths(self) -> Transition:
        return transition(self.bounds, self.amount)


def request_for(document: "Document", layer: AiLayer, geometry: Geometry) -> Request:
    """Everything one run needs.

    Raises TechniqueError when nothing is painted, when it lies off the canvas, or when the
    region is too large.
    """
    bounds = painted_bounds(document, layer)
    rect = input_rect(document, layer, geometry)
    _refuse_huge(layer, rect)
    crop = _over_white(flatten(below(document, layer), rect))
    key = rendered_key(document, layer)
    return Request(layer.id, layer.recipe, rect, bounds, crop, _painted(layer, rect), key)


def task_for(request: Request, geometry: Geometry, factor: int) -> Task[Any]:
    """The request as a technique wants it: checked parameters, pictures at the model's size."""
    technique = techniques[request.recipe.technique]
    params = from_json(params_of(technique), request.recipe.params)
    mask = denoise_mask(request.painted, request.lengths)
    image, denoise = to_model(request.crop, mask, geometry)
    return Task(request.recipe, params, image, denoise, origin(request.rect, geometry, factor))


def with_result(document: "Document", request: Request, pixels: Pixels, model_hash: str) -> AiLayer:
    """The layer showing a result (RGBA premultiplied over request.rect), as it is now."""
    layer = document.find(request.layer)
    if not isinstance(layer, AiLayer):
        raise TechniqueError(f"{layer.name} is no longer an AI layer.")
    place = request.rect.moved(-layer.position.x, -layer.position.y)
    tiles = Tiles.of(pixels, place.x, place.y)
    recipe = replace(layer.recipe, model_hash=model_hash)
    return replace(layer, tiles=tiles, recipe=recipe, rendered=request.key)


def painted_bounds(document: "Document", layer: AiLayer) -> Rect:
    """Where the layer is painted, in canvas pixels."""
    everywhere = layer.region.tight_bounds().moved(*layer.position)
    if not everywhere:
        raise TechniqueError(
            f"Nothing is painted on {layer.name}: sweep the AI brush over a region."
        )
    bounds = everywhere & document.bounds
    if not bounds:
        raise TechniqueError(
            f"The region of {layer.name} lies off the canvas: move the layer back, or paint again."
        )
    return bounds


def input_rect(document: "Document", layer: AiLayer, geometry: Geometry) -> Rect:
    """The part of the canvas the model sees."""
    bounds = painted_bounds(document, layer)
    reach = transition(bounds, change(layer.recipe)).reach
    chosen = layer.recipe.context & document.bounds
    if chosen:
        return chosen | (bounds.padded(reach) & document.bounds)
    return context(bounds, document.bounds, geometry, reach)


def below(document: "Document", layer: AiLayer) -> Group:
    """The tree of what lies below a layer, without AI layers that do not meet it."""
    tree = _cut(document.root, layer.id)
    if tree is None:
        raise TechniqueError(f"{layer.name} is no longer in the document.")
    for node in list(walk(tree)):
        if isinstance(node, AiLayer) and not _meets(document, layer, node):
            tree = replaced(tree, replace(node, visible=False))
    return tree


def rendered_key(document: "Document", layer: AiLayer) -> str:
    """A hash of what decides the pixels: those below that may change, the region, the recipe."""
    area, support = _support(document, layer)
    seen = flatten(below(document, layer), area)
    seen[~support] = 0
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{area}{layer.recipe.key}".encode())
    for pixels in (_painted(layer, area), seen):
        digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def is_stale(document: "Document", layer: AiLayer) -> bool:
    """Whether the cached pixels belong to another input than the present one."""
    if layer.baked:
        return False
    try:
        return layer.rendered != rendered_key(document, layer)
    except TechniqueError:
        return False


def stale_layers(document: "Document") -> Iterator[AiLayer]:
    """Visible AI layers to run again, from bottom to top.

    Run one and put its result in before asking for the next: what lies above may then be stale.
    """
    for node in walk(document.root):
        if isinstance(node, AiLayer) and node.visible and is_stale(document, node):
            yield node


def _cut(group: Group, layer_id: str) -> Group | None:
    """The group with only what lies below a layer, or None when the layer is not in it."""
    for place, child in enumerate(group.children):
        inner = _cut(child, layer_id) if isinstance(child, Group) else None
        if child.id == layer_id or inner is not None:
            above = (inner,) if inner else ()
            return replace(group, children=group.children[:place] + above)
    return None


def _support(document: "Document", layer: AiLayer) -> tuple[Rect, np.ndarray[Any, Any]]:
    """Where the layer may change anything: a rectangle and, in it, height x width of bool."""
    bounds = painted_bounds(document, layer)
    lengths = transition(bounds, change(layer.recipe))
    area = bounds.padded(lengths.reach) & document.bounds
    _refuse_huge(layer, area)
    return area, denoise_mask(_painted(layer, area), lengths) > 0


def _meets(document: "Document", layer: AiLayer, other: AiLayer) -> bool:
    """Whether what another layer shows lies where this one may change something."""
    bounds = painted_bounds(document, layer)
    reach = transition(bounds, change(layer.recipe)).reach
    if not extent(other, document.bounds) & bounds.padded(reach):
        return False
    area, support = _support(document, layer)
    here = area.moved(-other.position.x, -other.position.y)
    for part, pixels in other.tiles.pieces(here):
        inside = part.moved(-here.x, -here.y).slices
        if (support[inside] & (pixels[..., 3] > 0)).any():
            return True
    return False


def _refuse_huge(layer: AiLayer, rect: Rect) -> None:
    if rect.area > LARGEST:
        raise TechniqueError(
            f"The region of {layer.name} needs {rect.width} x {rect.height} pixels at once; "
            "paint a smaller one, or scale the picture down."
        )


def _painted(layer: AiLayer, rect: Rect) -> Pixels:
    """The painted region over a canvas rectangle, height x width."""
    return layer.region.read(rect.moved(-layer.position.x, -layer.position.y))[..., 0]


def _over_white(pixels: Pixels) -> Pixels:
    """Premultiplied RGBA over white paper, without alpha."""
    return pixels[..., :3] + (255 - pixels[..., 3:])
