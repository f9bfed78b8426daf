"""The AI brush: paints the region that a diffusion layer edits."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from core.ai.recipe_values import prompt_of
from core.brushes.round import Round
from core.catalog import tools
from core.errors import EditorError
from core.paint.layers import AiLayer
from core.paint.pointer import GestureContext, PointerEvent, PointerKind
from core.paint.stroke_writer import StrokeWriter
from core.params import BrushHardness, BrushSize
from core.tools.painting import Gesture

PAUSE = 0.25
"""Seconds of stroke after which the region is offered to the live loop again."""


@tools.register
class AiBrushTool:
    """Sweep over what should change; Shift adds to the layer's region, Alt takes away."""

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

    def gesture(self, context: GestureContext, event: PointerEvent) -> Gesture:
        """Raises EditorError when the stroke marks nothing, or no layer can take it."""
        document = context.document
        with document.edit("AI brush"):
            layer = target_layer(context, event)
            with document.paint(layer.id, "AI brush", plane="region") as writer:
                yield from _sweep(context, writer, event, layer.id)
                if not writer.dirty:
                    raise EditorError(_why_nothing_painted(context))
        context.stroked(layer.id)


def _why_nothing_painted(context: GestureContext) -> str:
    """Why a stroke marked nothing."""
    if context.document.selection:
        return "The stroke lies outside the selection: nothing was marked. Ctrl+Shift+A deselects."
    return "The stroke lies off the canvas: nothing was marked."


def _sweep(
    context: GestureContext, writer: StrokeWriter, event: PointerEvent, layer: str
) -> Gesture:
    erase, last_offer = event.alt, event.time
    params = context.params
    brush = Round(Round.Params(size=params.size, hardness=params.hardness, pressure_size=False))
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


def target_layer(context: GestureContext, event: PointerEvent) -> AiLayer:
    """A new AI layer above the active one; with Shift or Alt the active AI layer itself.

    Raises EditorError when that one is frozen or hidden, or when Alt finds no AI layer.
    """
    active = context.document.active
    if (event.shift or event.alt) and isinstance(active, AiLayer):
        if active.baked or not active.visible:
            raise EditorError(f"{active.name} is frozen or hidden: its region stays as it is.")
        return active
    if event.alt:
        raise EditorError("Choose a diffusion layer first: Alt takes away from its region.")
    prompt = prompt_of(context.recipe).strip()
    layer = AiLayer(prompt[:40] or "AI edit", recipe=context.recipe)
    context.document.insert("AI brush", layer)
    return layer
