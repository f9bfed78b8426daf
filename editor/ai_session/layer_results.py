"""From an AI layer to its task, and from the worker's pixels to a result in the layer.

Slow functions (``take_snapshot``, ``make_result``, ``current_key``) read a frozen state and change
nothing, so they may run in another thread than the one that paints; ``show_result`` is quick.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from core.ai.layer import LayerTask, make_layer_task, result_key, stale_key, with_result
from core.ai.masks import composite_mask
from core.errors import EditorError
from core.paint import layers
from core.paint.document import Document, scratch_document
from core.paint.edits import DocumentState
from core.paint.layers import AiLayer, Group
from core.paint.tiles import Pixels, Tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.ai.crop import Geometry
    from core.geometry import Point, Rect
    from core.task import Recipe

MAX_PREVIEW_SIDE = 512
"""Longest side of the worker's previews in pixels."""
THUMBNAIL_SIDE = 64
"""Side of a result's thumbnail in pixels."""
UNSEEN_DIFFERENCE = 2
"""Results that differ by less than this, of 255, count as unchanged."""


@dataclass(frozen=True, eq=False)
class TaskSnapshot:
    """A task for the worker, with the layer and the tree that it was made from."""

    root: Group
    layer: AiLayer
    task: LayerTask
    alpha: Pixels
    """The composite mask over task.rect, at the size of a preview: height x width uint8, 0..255."""

    def preview(self, picture: Pixels) -> Tiles:
        """Cut a preview to where the edit will show. picture: height x width x 3 uint8, 0..255.

        Returns the layer's pixels with it, at their full size.
        """
        size = (picture.shape[1], picture.shape[0])
        alpha = cv2.resize(self.alpha, size, interpolation=cv2.INTER_LINEAR)
        colour = cv2.multiply(picture, cv2.merge([alpha] * 3), scale=1 / 255)
        small = np.dstack([colour, alpha]).astype(np.uint8, copy=False)
        whole = cv2.resize(small, tuple(self.task.rect.size), interpolation=cv2.INTER_LINEAR)
        corner = self.task.rect.translate(-self.layer.position.x, -self.layer.position.y)
        return Tiles.of(np.asarray(whole, np.uint8), corner.x, corner.y)


@dataclass(frozen=True, eq=False)
class Result:
    """What a task gave: pixels as the layer keeps them, and their thumbnail."""

    key: str
    rect: "Rect"
    position: "Point"
    recipe: "Recipe"
    tiles: Tiles
    thumbnail: Pixels
    """THUMBNAIL_SIDE x THUMBNAIL_SIDE x 3 uint8, RGB, 0..255."""
    is_unchanged: bool = False
    facts: "Mapping[str, Any]" = field(default_factory=dict)


def freeze_layer(document: Document, layer_id: str) -> tuple["DocumentState", AiLayer]:
    """The state and the AI layer in it, unchanged by a stroke that goes on.

    Raises EditorError when the layer is gone or is not an AI layer.
    """
    layer = document.find(layer_id)
    if not isinstance(layer, AiLayer):
        raise EditorError(f"{layer.name} is not an AI layer: choose one, or paint a new one.")
    recorded = layers.find(document.recorded.root, layer_id)
    if recorded is layer:
        return document.recorded, layer
    still = replace(layer, region=layer.region.fork())
    return replace(document.state, root=layers.replace_node(document.root, still)), still


def take_snapshot(state: "DocumentState", layer: AiLayer, geometry: "Geometry") -> TaskSnapshot:
    """Make the task of a layer. Raises TechniqueError when there is nothing to run on."""
    task = make_layer_task(scratch_document(state), layer, geometry)
    mask = composite_mask(task.painted, task.lengths)
    if task.opacity is not None:
        mask *= (task.opacity / np.float32(255)) ** 2
    scale = min(1.0, MAX_PREVIEW_SIDE / max(mask.shape))
    small = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    alpha = np.rint(np.asarray(small) * 255).astype(np.uint8)
    return TaskSnapshot(state.root, layer, task, alpha)


def current_key(state: "DocumentState", layer: AiLayer) -> str:
    """The key of the task that the layer would run now.

    Raises TechniqueError when there is nothing to run on.
    """
    return result_key(scratch_document(state), layer)


def find_stale_key(state: "DocumentState", layer: AiLayer) -> str:
    """The key of the task that a stale layer would run now; empty for one that is not stale."""
    return stale_key(scratch_document(state), layer)


def make_result(snapshot: TaskSnapshot, pixels: Pixels, facts: "Mapping[str, Any]") -> Result:
    """Make a result of the worker's pixels over the task's rectangle.

    pixels: height x width x 4 uint8, premultiplied RGBA, 0..255.
    """
    task, layer = snapshot.task, snapshot.layer
    frozen = scratch_document(DocumentState(task.canvas, snapshot.root))
    made = with_result(frozen, task, pixels, str(facts.get("model_hash", "")))
    before, after = _make_thumbnails(task, pixels)
    return Result(
        key=task.key,
        rect=task.rect,
        position=layer.position,
        recipe=made.recipe,
        tiles=made.tiles,
        thumbnail=after,
        is_unchanged=bool(cv2.absdiff(before, after).max() < UNSEEN_DIFFERENCE),
        facts=facts,
    )


def _make_thumbnails(task: LayerTask, pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Before and after around the painted region, as squares of THUMBNAIL_SIDE pixels."""
    side = max(task.bounds.width, task.bounds.height)
    rect = task.bounds.pad((side + 15) // 16) & task.rect
    inside = rect.translate(-task.rect.x, -task.rect.y).slices
    crop, shown = task.crop[inside], pixels[inside]
    through = cv2.merge([255 - shown[..., 3]] * 3)
    after = cv2.add(cv2.multiply(crop, through, scale=1 / 255), shown[..., :3])
    return _crop_square(crop), _crop_square(after)


def _crop_square(picture: object) -> Pixels:
    """The middle of a picture as a square thumbnail."""
    whole = np.asarray(picture, np.uint8)
    side = min(whole.shape[:2])
    y, x = (whole.shape[0] - side) // 2, (whole.shape[1] - side) // 2
    middle = np.ascontiguousarray(whole[y : y + side, x : x + side])
    small = cv2.resize(middle, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def is_same_task(node: object, layer: AiLayer) -> bool:
    """Whether a node is still the layer that a task was made from: its result would fit."""
    return (
        isinstance(node, AiLayer)
        and not node.baked
        and node.recipe.key == layer.recipe.key
        and node.position == layer.position
        and not node.region.differs_from(layer.region)
    )


def show_result(document: Document, since: Group, layer: AiLayer, result: Result) -> bool:
    """Put a result into its layer, as a part of the edit that started the task.

    It goes into every state from the tree ``since`` on in which the layer's task is the same.
    Returns False when the layer has another task now. Not while an edit is open.
    """
    document.amend(since, _make_change(layer, result))
    node = layers.find(document.root, layer.id)
    return isinstance(node, AiLayer) and node.rendered == result.key


def _make_change(layer: AiLayer, result: Result) -> Callable[[Group], Group]:
    made: dict[AiLayer, AiLayer] = {}

    def change(root: Group) -> Group:
        node = layers.find(root, layer.id)
        if not isinstance(node, AiLayer) or not is_same_task(node, layer):
            return root
        if node.tiles is result.tiles and node.rendered == result.key:
            return root
        if node not in made:
            recipe = replace(node.recipe, model_hash=result.recipe.model_hash)
            made[node] = replace(node, tiles=result.tiles, rendered=result.key, recipe=recipe)
        return layers.replace_node(root, made[node])

    return change
