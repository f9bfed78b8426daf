"""Where an AI layer may change anything, and what of the document lies below it there."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.ai.masks import FAINT, Transition, denoise_mask, transition
from core.ai.residual import edit_amount
from core.errors import TechniqueError
from core.geometry import Rect
from core.paint.layers import AiLayer, Group, extent, replace_node, walk
from core.paint.tiles import Pixels

if TYPE_CHECKING:
    from core.paint.document import Document

MAX_CELLS = 8192 * 8192
"""Pixels in one crop: above this the copies sent to the model would fill the memory."""


@dataclass(frozen=True, eq=False)
class Footprint:
    """A layer's painted bounds on the canvas and the slightly larger area it may change.

    Paint of at most FAINT does not count for the bounds, unless all paint is so faint.
    """

    layer: AiLayer
    bounds: Rect
    area: Rect
    lengths: Transition

    @cached_property
    def painted(self) -> Pixels:
        """The painted region over the area, height x width uint8, 255 = edit."""
        return read_region(self.layer, self.area)

    def read_painted(self, rect: Rect) -> Pixels:
        """The painted region over a rectangle around the area, height x width uint8, 255 = edit.

        Faint paint outside the area does not count.
        """
        inside = np.zeros((rect.height, rect.width), np.uint8)
        inside[self.area.translate(-rect.x, -rect.y).slices] = self.painted
        return inside

    @cached_property
    def support(self) -> Pixels:
        """Over the area, height x width uint8: 1 where anything may change, 0 elsewhere."""
        refuse_huge(self.layer, self.area)
        reached = denoise_mask(self.painted, self.lengths) > 0
        return (reached | (self.painted > 0)).astype(np.uint8)

    def meets(self, other: AiLayer) -> bool:
        """Whether what another layer shows lies where this one may change something."""
        if not extent(other, self.area):
            return False
        here = self.area.translate(-other.position.x, -other.position.y)
        for part, pixels in other.tiles.pieces(here):
            inside = part.translate(-here.x, -here.y).slices
            if (self.support[inside] & (pixels[..., 3] > 0)).any():
                return True
        return False


def footprint(document: "Document", layer: AiLayer) -> Footprint:
    """Measure where a layer may change anything.

    Raises TechniqueError when nothing is painted or it lies off the canvas.
    """
    firm = layer.region.bounds_above(FAINT) or layer.region.bounds_above(0)
    painted = firm.translate(*layer.position)
    if not painted:
        raise TechniqueError(
            f"Nothing is painted on {layer.name}: sweep the AI brush over a region."
        )
    bounds = painted & document.bounds
    if not bounds:
        raise TechniqueError(
            f"The region of {layer.name} lies off the canvas: move the layer back, or paint again."
        )
    lengths = transition(bounds, edit_amount(layer.recipe), layer.recipe.confined)
    return Footprint(layer, bounds, bounds.pad(lengths.reach) & document.bounds, lengths)


def below(document: "Document", where: Footprint) -> Group:
    """Return the tree of what lies below a layer, without AI layers that do not meet it.

    Raises TechniqueError when the layer is not in the document.
    """
    tree = _nodes_below(document.root, where.layer.id)
    if tree is None:
        raise TechniqueError(f"{where.layer.name} is no longer in the document.")
    for node in list(walk(tree)):
        if isinstance(node, AiLayer) and node.visible and not where.meets(node):
            tree = replace_node(tree, replace(node, visible=False))
    return tree


def read_region(layer: AiLayer, rect: Rect) -> Pixels:
    """Read the painted region over a canvas rectangle, height x width uint8, 0..255."""
    return layer.region.read(rect.translate(-layer.position.x, -layer.position.y))[..., 0]


def refuse_huge(layer: AiLayer, rect: Rect) -> None:
    """Check a rectangle's area. Raises TechniqueError when its copies would fill the memory."""
    if rect.area > MAX_CELLS:
        raise TechniqueError(
            f"The region of {layer.name} needs {rect.width} x {rect.height} pixels at once; "
            "paint a smaller one, or scale the picture down."
        )


def _nodes_below(group: Group, layer_id: str) -> Group | None:
    """The group with only what lies below a layer, or None when the layer is not in it."""
    for place, child in enumerate(group.children):
        inner = _nodes_below(child, layer_id) if isinstance(child, Group) else None
        if child.id == layer_id or inner is not None:
            above = (inner,) if inner else ()
            return replace(group, children=group.children[:place] + above)
    return None
