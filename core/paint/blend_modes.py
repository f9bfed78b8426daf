"""Blend modes: the separable formulas of W3C Compositing and Blending Level 1, and plus.

``mix`` arguments are premultiplied float32 colours (3 x height x width) and their alphas
(1 x height x width) in 0..1; it gives ``alpha_s * alpha_b * B(Cb, Cs)``, so that no division by a
small alpha is needed where the formula allows it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.paint.tiles import Pixels

ROWS_AT_ONCE = 64
"""Rows blended at once, so that the planes in between stay in the processor's cache."""

Floats = npt.NDArray[np.floating[Any]]
Mix = Callable[[Floats, Floats, Floats, Floats], Floats]
"""(source, source alpha, backdrop, backdrop alpha) -> the blended share."""


@dataclass(frozen=True)
class BlendMode:
    """One blend mode; ``svg`` is its name in OpenRaster files."""

    id: str
    label: str
    svg: str
    mix: Mix


def _multiply(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    product: Floats = s * b
    return product


def _screen(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return s * ab + b * a - s * b


def _overlay(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return _hard_light(b, ab, s, a)


def _darken(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return np.minimum(s * ab, b * a)


def _lighten(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return np.maximum(s * ab, b * a)


def _colour_dodge(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    full = a * ab
    dodged = np.minimum(full, _divide(b * a * a, a - s, full))
    return np.where(b <= 0, np.float32(0), dodged)


def _colour_burn(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    full = a * ab
    burnt = full - np.minimum(full, _divide((ab - b) * a * a, s, full))
    return np.where(b >= ab, full, burnt)


def _hard_light(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return np.where(2 * s <= a, 2 * s * b, a * ab - 2 * (ab - b) * (a - s))


def _soft_light(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    cb, cs = _divide(b, ab, np.float32(0)), _divide(s, a, np.float32(0))
    bright = np.where(cb <= 0.25, ((16 * cb - 12) * cb + 4) * cb, np.sqrt(cb))
    dark = cb - (1 - 2 * cs) * cb * (1 - cb)
    return a * ab * np.where(cs <= 0.5, dark, cb + (2 * cs - 1) * (bright - cb))


def _difference(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return np.abs(s * ab - b * a)


def _exclusion(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return s * ab + b * a - 2 * s * b


def _normal(s: Floats, a: Floats, b: Floats, ab: Floats) -> Floats:
    return s * ab


def _divide(dividend: Floats, divisor: Floats, otherwise: "Floats | np.float32") -> Floats:
    """Divide, with another value where the divisor is nearly 0."""
    is_zero = divisor <= 1e-7
    return np.where(is_zero, otherwise, dividend / np.where(is_zero, np.float32(1), divisor))


_ALL = (
    BlendMode("normal", "Normal", "svg:src-over", _normal),
    BlendMode("multiply", "Multiply", "svg:multiply", _multiply),
    BlendMode("screen", "Screen", "svg:screen", _screen),
    BlendMode("overlay", "Overlay", "svg:overlay", _overlay),
    BlendMode("darken", "Darken", "svg:darken", _darken),
    BlendMode("lighten", "Lighten", "svg:lighten", _lighten),
    BlendMode("colour-dodge", "Colour dodge", "svg:color-dodge", _colour_dodge),
    BlendMode("colour-burn", "Colour burn", "svg:color-burn", _colour_burn),
    BlendMode("hard-light", "Hard light", "svg:hard-light", _hard_light),
    BlendMode("soft-light", "Soft light", "svg:soft-light", _soft_light),
    BlendMode("difference", "Difference", "svg:difference", _difference),
    BlendMode("exclusion", "Exclusion", "svg:exclusion", _exclusion),
    BlendMode("plus", "Plus", "svg:plus", _normal),
)

MODES: Mapping[str, BlendMode] = MappingProxyType({mode.id: mode for mode in _ALL})


PASS_THROUGH = "pass-through"
"""The blend mode of a group whose layers act on what lies below the group."""


MAX_LABEL = 16
"""Characters that are shown of the name of a mode of another program."""


def blend_mode(blend_id: str) -> BlendMode:
    """The mode of a node; one that only other programs have keeps its name and acts as Normal."""
    if blend_id == PASS_THROUGH:
        return BlendMode(PASS_THROUGH, "Pass through", "svg:src-over", _normal)
    label = blend_id.rpartition(":")[2][:MAX_LABEL].capitalize()
    return MODES.get(blend_id, BlendMode(blend_id, f"{label} (kept)", blend_id, _normal))


def blend(source: Pixels, backdrop: Pixels, mode: str = "normal") -> Pixels:
    """Composite source over backdrop in one of the modes; in the normal one if there is no such.

    Both are height x width x 4 uint8, premultiplied RGBA, 0..255, and so is the new array returned.
    """
    if mode == "normal" or mode not in MODES:
        return source_over(source, backdrop)
    if mode == "plus":
        return np.asarray(cv2.add(source, backdrop), np.uint8).reshape(source.shape)
    mix = MODES[mode].mix
    out = np.empty(source.shape, np.uint8)
    for top in range(0, len(source), ROWS_AT_ONCE):
        rows = slice(top, top + ROWS_AT_ONCE)
        out[rows] = _blend_rows(source[rows], backdrop[rows], mix)
    return out


def _blend_rows(source: Pixels, backdrop: Pixels, mix: Mix) -> Pixels:
    s, b = _to_planar(source), _to_planar(backdrop)
    a, ab = s[3:], b[3:]
    out = np.empty_like(s)
    out[:3] = s[:3] * (1 - ab) + b[:3] * (1 - a) + mix(s[:3], a, b[:3], ab)
    out[3:] = a + ab - a * ab
    return np.moveaxis(np.rint(np.clip(out, 0, 1) * 255).astype(np.uint8), 0, -1)


def _to_planar(pixels: Pixels) -> Floats:
    """4 x height x width float32, 0..1: numpy is far faster along whole rows of one channel."""
    return np.moveaxis(pixels, -1, 0).astype(np.float32, order="C") / np.float32(255)


def source_over(source: Pixels, backdrop: Pixels) -> Pixels:
    """Composite source over backdrop in the normal mode.

    Both are height x width x 4 uint8, premultiplied RGBA, 0..255, and so is the new array returned.
    """
    transmittance = cv2.bitwise_not(np.ascontiguousarray(source[..., 3]))
    visible = cv2.multiply(backdrop, cv2.merge([transmittance] * 4), scale=1 / 255)
    return np.asarray(cv2.add(source, visible), np.uint8).reshape(source.shape)


def scale_alpha(source: Pixels, factor: "float | Pixels") -> Pixels:
    """Multiply all channels by an opacity 0..1, or by a mask: height x width uint8, 0..255.

    source: height x width x 4 uint8, premultiplied RGBA, 0..255. Returns a new array like it.
    """
    if isinstance(factor, float):
        return np.asarray(cv2.convertScaleAbs(source, alpha=factor), np.uint8).reshape(source.shape)
    four = cv2.merge([np.ascontiguousarray(factor)] * 4)
    return np.asarray(cv2.multiply(source, four, scale=1 / 255), np.uint8).reshape(source.shape)
