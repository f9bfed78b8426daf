"""Flattening: the picture that a layer tree makes inside a rectangle."""

from typing import TypeGuard

import numpy as np

from core.geometry import Rect
from core.paint.blend_modes import PASS_THROUGH, blend, scale_alpha
from core.paint.layers import Group, Layer, Node
from core.paint.tiles import Pixels


def flatten(group: Group, rect: Rect) -> Pixels:
    """The children of a group over nothing: height x width x 4 uint8, premultiplied RGBA, 0..255.

    The time needed grows with the rectangle and the tiles stored inside it. The group's own
    opacity, blend mode and mask are not applied.
    """
    out = np.zeros((rect.height, rect.width, 4), np.uint8)
    for child in group.children:
        draw(child, rect, out)
    return out


def draw(node: Node, rect: Rect, out: Pixels) -> None:
    """Blend one visible layer or group into out, which shows rect of the canvas.

    out: height x width x 4 uint8, premultiplied RGBA, 0..255; it is changed.
    """
    if not node.visible or node.opacity <= 0:
        return
    if is_pass_through(node):
        for child in node.children:
            draw(child, rect, out)
    elif isinstance(node, Group):
        blend_into(node, rect, flatten(node, rect), rect, out)
    elif isinstance(node, Layer):
        local = rect.translate(-node.position.x, -node.position.y)
        for part, pixels in node.tiles.pieces(local):
            blend_into(node, part.translate(*node.position), pixels, rect, out)


def is_pass_through(node: Node) -> TypeGuard[Group]:
    """Whether a group's layers act on what lies below it, as if there were no group.

    A group with an opacity or a mask of its own is blended together first (W3C Compositing).
    """
    return (
        isinstance(node, Group)
        and node.blend == PASS_THROUGH
        and node.opacity >= 1
        and (node.mask is None or not node.mask.visible)
    )


def blend_into(node: Node, part: Rect, pixels: Pixels, rect: Rect, out: Pixels) -> None:
    """Blend a node's pixels, which lie at part, into out, which shows rect of the canvas.

    pixels, out: height x width x 4 uint8, premultiplied RGBA, 0..255; out is changed.
    """
    place = part.translate(-rect.x, -rect.y).slices
    source = scale_alpha(pixels, float(node.opacity)) if node.opacity < 1 else pixels
    if node.mask is not None and node.mask.visible:
        source = scale_alpha(source, _read_mask(node, part))
    out[place] = blend(source, out[place], node.blend)


def _read_mask(node: Node, part: Rect) -> Pixels:
    """A mask's values over a canvas rectangle; it moves with its layer."""
    if node.mask is None:
        return np.full((part.height, part.width), 255, np.uint8)
    x, y = node.position if isinstance(node, Layer) else (0, 0)
    return node.mask.tiles.read(part.translate(-x, -y))[..., 0]
