"""The AI brush: paints the region that an AI layer edits."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from core.ai.recipe_values import prompt_of
from core.brushes.round import Round
from core.catalog import tools
from core.errors import EditorError
from core.paint import layers
from core.paint.document import Document
from core.paint.layers import AiLayer
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.paint.stroke_writer import StrokeWriter
from core.paint.tiles import Tiles, tile_rect
from core.params import BrushHardness, BrushSize, Choice
from core.tools.painting import Gesture

PAUSE = 0.25
"""Seconds of stroke after which the region is offered to the live loop again."""
EXTEND, NEW = "extend", "new"
DEFAULT_NAME = "AI layer"


@tools.register
class AiBrushTool:
    """Sweep over what should change.

    A stroke that touches the active AI layer's region, or comes before its answer, extends it;
    Shift extends it from anywhere, Alt takes away.
    """

    id: ClassVar[str] = "ai-brush"
    label: ClassVar[str] = "AI brush"
    icon: ClassVar[str] = "sparkles"
    shortcut: ClassVar[str] = "A"
    position: ClassVar[int] = 30
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = True
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        size: Annotated[float, BrushSize(4, 1000, "Size", "px", step=1)] = 96.0
        hardness: Annotated[float, BrushHardness(0, 100, "Hardness", "%", step=1)] = 80.0
        mode: Annotated[
            str,
            Choice(
                (EXTEND, NEW),
                "Stroke",
                "Extend: a stroke that touches the active AI layer, or comes before its answer, "
                "belongs to it. New layer: every stroke makes one.",
                ("Extend", "New layer"),
            ),
        ] = EXTEND

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        """Raises EditorError when the stroke marks nothing, or no layer can take it."""
        document = context.document
        taken = find_extended_layer(context, event)
        touched = _find_touchable_layer(context)
        with document.edit(_label(taken, event)):
            layer = taken or _insert_layer(context)
            with document.paint(layer.id, "AI brush", plane="region") as writer:
                yield from _sweep(context, writer, event, layer.id)
                if not writer.dirty:
                    raise EditorError(_why_nothing_painted(context))
                if taken is not None and not event.alt and not writer.has_changed:
                    raise EditorError(
                        f"The region of {taken.name} covers that already. "
                        "Ctrl+R tries another seed."
                    )
            layer_id = layer.id
            if taken is None and touched is not None:
                layer_id = _join_if_touching(document, layer.id, touched.id)
            elif event.alt:
                _remove_if_empty(context, layer.id)
        context.stroked(layer_id)


def _label(taken: AiLayer | None, event: PointerEvent) -> str:
    if taken is None:
        return "AI brush"
    return "Take away from AI layer" if event.alt else "Extend AI layer"


def _why_nothing_painted(context: GestureContext) -> str:
    """Why a stroke marked nothing."""
    if context.document.selection:
        return "The stroke lies outside the selection: nothing was marked. Ctrl+Shift+A deselects."
    return "The stroke lies off the canvas: nothing was marked."


def _make_brush(context: GestureContext) -> Round:
    params = context.params
    return Round(Round.Params(size=params.size, hardness=params.hardness, pressure_size=False))


def _sweep(
    context: GestureContext, writer: StrokeWriter, event: PointerEvent, layer: str
) -> Gesture:
    erase, last_offer = event.alt, event.time
    brush = _make_brush(context)
    while True:
        for sample in context.path.samples(event, brush.spacing):
            stamp = brush.stamp(sample)
            writer.blend(stamp.alpha, stamp.x, stamp.y, erase=erase, flow=stamp.flow)
        if event.kind is PointerKind.release:
            return
        if event.time - last_offer > PAUSE:
            last_offer = event.time
            context.stroked(layer)
        event = yield


# Which layer takes the stroke


def find_extended_layer(context: GestureContext, event: PointerEvent) -> AiLayer | None:
    """The active AI layer if the stroke belongs to it from its beginning; None for a new layer.

    Raises EditorError when Shift or Alt asks for it and it is frozen or hidden, or when Alt finds
    no AI layer.
    """
    active = context.document.active
    if not isinstance(active, AiLayer):
        if event.alt:
            raise EditorError("Choose an AI layer first: Alt takes away from its region.")
        return None
    if event.shift or event.alt:
        if active.baked or not active.visible:
            raise EditorError(f"{active.name} is frozen or hidden: its region stays as it is.")
        return active
    layer = _find_touchable_layer(context)
    if layer is None:
        return None
    is_pending = not layer.rendered or context.is_pending(layer.id)
    return layer if is_pending or _is_touching(context, event, layer) else None


def _find_touchable_layer(context: GestureContext) -> AiLayer | None:
    """The active AI layer if strokes extend it; not one over the whole canvas, nor other words."""
    active = context.document.active
    if not isinstance(active, AiLayer) or active.baked or not active.visible:
        return None
    if context.params.mode != EXTEND or context.has_new_words:
        return None
    return None if _covers_canvas(active, context.document) else active


def _covers_canvas(layer: AiLayer, document: Document) -> bool:
    """Whether nothing can be added to a layer's region."""
    bounds = document.bounds.translate(-layer.position.x, -layer.position.y)
    if layer.region.bounds & bounds != bounds:
        return False
    pieces = list(layer.region.pieces(bounds))
    whole = sum(part.area for part, _ in pieces) == bounds.area
    return whole and all(bool(values.all()) for _, values in pieces)


def _is_touching(context: GestureContext, event: PointerEvent, layer: AiLayer) -> bool:
    """Whether the first dab of a stroke meets a layer's region."""
    stamp = _make_brush(context).stamp(context.path.first(event))
    rect = stamp.rect & context.document.bounds
    if not rect:
        return False
    dab = stamp.alpha[rect.translate(-stamp.x, -stamp.y).slices]
    region = layer.region.read(rect.translate(-layer.position.x, -layer.position.y))[..., 0]
    return bool((np.minimum(dab, region) > 0).any())


def _insert_layer(context: GestureContext) -> AiLayer:
    """A new AI layer above the active one."""
    prompt = prompt_of(context.recipe).strip()
    layer = AiLayer(prompt[:40] or DEFAULT_NAME, recipe=context.recipe)
    context.document.insert("AI brush", layer)
    return layer


# When the stroke has ended


def _join_if_touching(document: Document, new_id: str, touched_id: str) -> str:
    """Give a stroke that came to touch a layer's region to that layer; the id of its layer now."""
    new, old = document.find(new_id), document.find(touched_id)
    if not (isinstance(new, AiLayer) and isinstance(old, AiLayer)):
        return new_id
    joined = _unite_regions(new, old)
    if joined is None:
        return new_id
    root = layers.remove_node(document.root, new_id)
    root = layers.replace_node(root, replace(old, region=joined))
    document.apply("Extend AI layer", replace(document.state, root=root, active=touched_id))
    return touched_id


def _unite_regions(new: AiLayer, old: AiLayer) -> Tiles | None:
    """Both regions as one in the old layer's plane; None when they do not touch."""
    united, is_touching = old.region.fork(), False
    dx, dy = new.position.x - old.position.x, new.position.y - old.position.y
    for key, tile in new.region.items():
        rect = tile_rect(key).translate(dx, dy)
        before = old.region.read(rect)
        is_touching = is_touching or bool((np.minimum(before, tile.pixels) > 0).any())
        united.write(rect, np.maximum(before, tile.pixels))
    return united.prune() if is_touching else None


def _remove_if_empty(context: GestureContext, layer_id: str) -> None:
    """Remove a layer from whose region everything was taken away."""
    document = context.document
    layer = document.find(layer_id)
    if not isinstance(layer, AiLayer) or layer.region.tight_bounds():
        return
    following = layers.neighbour_of(document.root, layer_id)
    root = layers.remove_node(document.root, layer_id)
    document.apply("Remove AI layer", replace(document.state, root=root, active=following))
    context.told(f"Nothing is left of the region of {layer.name}: the layer was removed.")
