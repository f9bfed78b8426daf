"""Writing pixels into one open plane of a layer: dabs, whole rectangles, and the dirty area."""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from core.geometry import EMPTY, Rect
from core.paint import layers
from core.paint.edits import DocumentState
from core.paint.layers import Layer, Node
from core.paint.stroke_coverage import StrokeCoverage, strength
from core.paint.tiles import Key, Pixels, keys_over, tile_rect

if TYPE_CHECKING:
    from core.paint.document import Document


class StrokeWriter:
    """One stroke's worth of writing; made by Document.paint, in canvas coordinates.

    ``blend`` keeps a coverage plane for the stroke, so that overlapping dabs add up to the
    stroke's opacity and no more. With a selection only what is selected changes.
    """

    def __init__(self, document: "Document", node: Node, plane: str) -> None:
        self._document = document
        self._before = layers.planes(node)[plane]
        self._tiles = self._before.fork()
        self._coverage = StrokeCoverage()
        self._plane = plane
        self._node = layers.with_plane(node, plane, self._tiles)
        self._offset = node.position if isinstance(node, Layer) else (0, 0)
        self._keep_alpha = plane == "pixels" and isinstance(node, Layer) and node.lock_alpha
        self._clip = document.selection
        self.dirty = EMPTY
        root = layers.replace_node(document.root, self._node)
        document.state = _with_root(document, root)

    def close(self) -> None:
        """Stop being writable; the layer keeps what was painted."""
        self._tiles.prune()
        settled = layers.with_plane(self._node, self._plane, self._tiles)
        self._document.state = _with_root(
            self._document, layers.replace_node(self._document.root, settled)
        )

    @property
    def is_mask(self) -> bool:
        """Whether the plane holds one value a pixel, and no colours."""
        return self._tiles.channels == 1

    @property
    def has_changed(self) -> bool:
        """Whether any value of the plane is another than before the stroke."""
        return any(
            bool((self._before.read(tile_rect(key)) != self._tiles.read(tile_rect(key))).any())
            for key in self._tiles.differs_from(self._before)
        )

    def read(self, rect: Rect) -> Pixels:
        """What the plane holds now: height x width x channels uint8, 0..255."""
        return self._tiles.read(self._to_plane(rect))

    def write(self, rect: Rect, array: Pixels) -> None:
        """Replace what is inside rect.

        array: height x width x channels uint8, 0..255, premultiplied RGBA or a mask's values.
        """
        self._tiles.write(self._to_plane(rect), array)
        self._mark_dirty(rect)

    def blend(
        self,
        alpha: Pixels,
        x: int,
        y: int,
        colour: tuple[int, int, int, int] = (0, 0, 0, 255),
        opacity: float = 1.0,
        erase: bool = False,
        flow: float = 1.0,
    ) -> None:
        """Blend one dab with its corner at (x, y).

        alpha: height x width uint8, 0..255; it is added to the stroke times flow (0..1). colour:
        straight RGBA, 0..255; its alpha is the value for a 1-channel plane. opacity (0..1) limits
        the whole stroke.
        """
        whole = Rect(x, y, alpha.shape[1], alpha.shape[0])
        rect = whole & self._document.bounds
        if self._clip:
            rect = rect & self._clip.bounds
        if not rect or flow <= 0:
            return
        local = self._to_plane(rect)
        for key in keys_over(local):
            part = tile_rect(key) & local
            dab = alpha[part.translate(*self._offset).translate(-x, -y).slices]
            covered = self._cover(key, part, dab, opacity, flow)
            self._tiles.write(
                part, self._paint_over(self._before.read(part), covered, colour, erase)
            )
        self._mark_dirty(rect)

    def _cover(self, key: Key, part: Rect, dab: Pixels, opacity: float, flow: float) -> Pixels:
        """How strongly a part of one tile is painted; the selection caps it like the opacity."""
        corner = tile_rect(key)
        transmittance = self._coverage.add(key, part.translate(-corner.x, -corner.y), dab, flow)
        covered = strength(transmittance, opacity)
        if self._clip:
            return _multiply(covered, self._clip.read(part.translate(*self._offset)))
        return covered

    def _paint_over(
        self, below: Pixels, strength: Pixels, colour: tuple[int, int, int, int], erase: bool
    ) -> Pixels:
        if self.is_mask:
            value = 0 if erase else colour[3]
            kept = _multiply(below[..., 0], _invert(strength))
            return _add(kept, _scale(strength, value))[..., None]
        if self._keep_alpha and erase:
            return below
        transmittance = _invert(_to_four_channels(strength))
        if erase:
            return _multiply(below, transmittance)
        tinted = _tint(strength, colour)
        transmittance = (
            _invert(_to_four_channels(tinted[..., 3])) if colour[3] < 255 else transmittance
        )
        if self._keep_alpha:
            return _source_atop(below, transmittance, tinted)
        return _add(_multiply(below, transmittance), tinted)

    def _to_plane(self, rect: Rect) -> Rect:
        return rect.translate(-self._offset[0], -self._offset[1])

    def _mark_dirty(self, rect: Rect) -> None:
        self.dirty = self.dirty | rect
        self._document.emit_changed(rect)


def _with_root(document: "Document", root: layers.Group) -> DocumentState:
    return replace(document.state, root=root)


def _tint(strength: Pixels, colour: tuple[int, int, int, int]) -> Pixels:
    """Premultiplied RGBA of one straight colour at every strength."""
    alpha = colour[3] / 255
    planes = [_scale(strength, value * alpha) for value in (*colour[:3], 255)]
    return np.asarray(cv2.merge(planes), np.uint8).reshape(*strength.shape, 4)


def _source_atop(below: Pixels, transmittance: Pixels, tinted: Pixels) -> Pixels:
    """Source-atop: the alpha below stays."""
    alpha = _to_four_channels(below[..., 3])
    return np.minimum(_add(_multiply(below, transmittance), _multiply(tinted, alpha)), alpha)


def _to_four_channels(plane: Pixels) -> Pixels:
    return np.asarray(cv2.merge([plane] * 4), np.uint8).reshape(*plane.shape, 4)


def _scale(strength: Pixels, value: float) -> Pixels:
    scaled = cv2.convertScaleAbs(strength, alpha=value / 255)
    return np.asarray(scaled, np.uint8).reshape(strength.shape)


def _multiply(first: Pixels, second: Pixels) -> Pixels:
    return np.asarray(cv2.multiply(first, second, scale=1 / 255), np.uint8).reshape(first.shape)


def _add(first: Pixels, second: Pixels) -> Pixels:
    return np.asarray(cv2.add(first, second), np.uint8).reshape(first.shape)


def _invert(array: Pixels) -> Pixels:
    return np.asarray(cv2.bitwise_not(array), np.uint8).reshape(array.shape)
