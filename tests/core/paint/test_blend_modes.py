"""Blending against the formulas of W3C Compositing and Blending Level 1, here in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.paint.blend_modes import (
    MODES,
    PASS_THROUGH,
    ROWS_AT_ONCE,
    blend,
    blend_mode,
    scale_alpha,
)
from core.paint.tiles import Pixels

F = npt.NDArray[np.float64]


def _soft_light(cb: F, cs: F) -> F:
    d = np.where(cb <= 0.25, ((16 * cb - 12) * cb + 4) * cb, np.sqrt(cb))
    low = cb - (1 - 2 * cs) * cb * (1 - cb)
    return np.where(cs <= 0.5, low, cb + (2 * cs - 1) * (d - cb))


def _hard_light(cb: F, cs: F) -> F:
    screened = cb + (2 * cs - 1) - cb * (2 * cs - 1)
    return np.where(cs <= 0.5, cb * 2 * cs, screened)


def _dodge(cb: F, cs: F) -> F:
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.minimum(1, cb / (1 - cs))
    return np.where(cb == 0, 0, np.where(cs == 1, 1, between))


def _burn(cb: F, cs: F) -> F:
    with np.errstate(divide="ignore", invalid="ignore"):
        between = 1 - np.minimum(1, (1 - cb) / cs)
    return np.where(cb == 1, 1, np.where(cs == 0, 0, between))


W3C: dict[str, Callable[[F, F], F]] = {
    "normal": lambda cb, cs: cs,
    "multiply": lambda cb, cs: cb * cs,
    "screen": lambda cb, cs: cb + cs - cb * cs,
    "overlay": lambda cb, cs: _hard_light(cs, cb),
    "darken": np.minimum,
    "lighten": np.maximum,
    "colour-dodge": _dodge,
    "colour-burn": _burn,
    "hard-light": _hard_light,
    "soft-light": _soft_light,
    "difference": lambda cb, cs: np.abs(cb - cs),
    "exclusion": lambda cb, cs: cb + cs - 2 * cb * cs,
}


def reference(source: npt.NDArray[Any], backdrop: npt.NDArray[Any], mode: str) -> F:
    """The composite in bytes, not rounded."""
    s, b = source / 255.0, backdrop / 255.0
    a, ab = s[..., 3:], b[..., 3:]
    if mode == "plus":
        return np.asarray(np.minimum(1, s + b) * 255)
    cs = np.divide(s[..., :3], a, out=np.zeros_like(s[..., :3]), where=a > 0)
    cb = np.divide(b[..., :3], ab, out=np.zeros_like(b[..., :3]), where=ab > 0)
    mixed = (1 - ab) * cs + ab * W3C[mode](cb, cs)
    colour = a * mixed + (1 - a) * ab * cb
    return np.asarray(np.concatenate([colour, a + ab - a * ab], axis=-1) * 255)


def _worst(source: Pixels, backdrop: Pixels, mode: str) -> float:
    return float(np.abs(blend(source, backdrop, mode) - reference(source, backdrop, mode)).max())


def every_pixel() -> tuple[Pixels, Pixels]:
    """All premultiplied values at seven alphas, each over each."""
    alphas = [0, 1, 2, 127, 128, 254, 255]
    pairs = np.array([(c, a) for a in alphas for c in range(a + 1)], np.uint8)
    pixels = pairs[:, [0, 0, 0, 1]]
    shape = (len(pixels), len(pixels), 4)
    return (
        np.ascontiguousarray(np.broadcast_to(pixels[:, None], shape)),
        np.ascontiguousarray(np.broadcast_to(pixels[None], shape)),
    )


@pytest.mark.parametrize("mode", MODES)
def test_every_value_at_seven_alphas_is_within_one_of_the_formula(mode: str) -> None:
    source, backdrop = every_pixel()
    assert _worst(source, backdrop, mode) <= 1.0


@st.composite
def _pictures(draw: st.DrawFn) -> Pixels:
    raw = draw(arrays.arrays(np.uint8, (5, 4, 4)))
    raw[..., :3] = np.minimum(raw[..., :3], raw[..., 3:])
    return raw


@given(_pictures(), _pictures(), st.sampled_from(sorted(MODES)))
@settings(max_examples=150, deadline=None)
def test_any_picture_is_within_one_of_the_formula(source: Any, backdrop: Any, mode: str) -> None:
    assert _worst(source, backdrop, mode) <= 1.0


@pytest.mark.parametrize("mode", MODES)
def test_nothing_over_a_picture_and_a_picture_over_nothing_change_nothing(mode: str) -> None:
    pixels, _ = every_pixel()
    clear = np.zeros_like(pixels)
    assert np.array_equal(blend(clear, pixels, mode), pixels)
    assert np.array_equal(blend(pixels, clear, mode), pixels)


@pytest.mark.parametrize("mode", MODES)
def test_colours_never_exceed_their_alpha(mode: str) -> None:
    out = blend(*every_pixel(), mode)
    assert (out[..., :3] <= out[..., 3:]).all()


@pytest.mark.parametrize("mode", MODES)
def test_a_tall_picture_is_blended_like_its_rows(mode: str) -> None:
    random = np.random.default_rng(3)
    raw = random.integers(0, 256, (2, 2 * ROWS_AT_ONCE + 7, 5, 4), np.uint8)
    raw[..., :3] = np.minimum(raw[..., :3], raw[..., 3:])
    whole = blend(raw[0], raw[1], mode)
    rows = [blend(raw[0][y : y + 1], raw[1][y : y + 1], mode) for y in range(len(whole))]
    assert np.array_equal(whole, np.concatenate(rows))


def test_opacity_and_masks_scale_all_channels_to_the_nearest_byte() -> None:
    pixels, _ = every_pixel()
    assert np.abs(scale_alpha(pixels, 0.37) - pixels * 0.37).max() <= 0.5001
    mask = np.arange(pixels.shape[0] * pixels.shape[1]).reshape(pixels.shape[:2]) % 256
    by_mask = scale_alpha(pixels, mask.astype(np.uint8))
    assert np.abs(by_mask - pixels * (mask[..., None] / 255)).max() <= 0.5001


def test_every_mode_has_the_openraster_name_of_its_formula() -> None:
    formulas = set(W3C) - {"normal"}
    spelled = {f"svg:{name.replace('colour', 'color')}" for name in formulas}
    assert {mode.svg for mode in MODES.values()} == spelled | {"svg:src-over", "svg:plus"}


def test_a_mode_of_another_program_keeps_its_name_and_acts_as_normal() -> None:
    mode = blend_mode("svg:luminosity")
    assert (mode.id, mode.svg, mode.label) == ("svg:luminosity",) * 2 + ("Luminosity (kept)",)
    assert len(blend_mode("x" * 500).label) < 30
    source, backdrop = np.full((1, 1, 4), 100, np.uint8), np.full((1, 1, 4), 255, np.uint8)
    assert np.array_equal(blend(source, backdrop, "svg:luminosity"), blend(source, backdrop))
    assert blend_mode(PASS_THROUGH).svg == "svg:src-over"
    assert blend_mode("multiply") is MODES["multiply"]
