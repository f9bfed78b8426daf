"""Draws the technique bench: a plot of preservation against truth, and a gallery of results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from core.bench.picture_metrics import Floats

SIZE, EDGE = (1100, 760), 60
PAPER, INK, DIM, MARK = (250, 249, 246), (40, 40, 40), (150, 150, 150), (200, 110, 30)
LABEL = 230
Box = tuple[float, float, float, float]
MAX_SHOWN = 8
"""Edits of every method that the gallery shows."""


def draw(
    rows: Sequence[Mapping[str, Any]], shown: "Mapping[str, list[Floats]]", folder: Path
) -> None:
    """Write techniques.png (a scatter plot) and gallery.png into a folder.

    shown: pictures by method, height x width x 3 float32, 0..1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw_scatter(rows).save(folder / "techniques.png")
    draw_gallery(shown).save(folder / "gallery.png")


def draw_scatter(rows: Sequence[Mapping[str, Any]]) -> Image.Image:
    """Plot every method by how well it keeps the rest and how near it is to the truth, in dB.

    Returns a picture of SIZE: height x width x 3 uint8, 0..255.
    """
    sheet = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(sheet)
    dots = [(r["outside_psnr"], r["true_psnr"], r["method"]) for r in rows if "error" not in r]
    ranges = [_range([dot[axis] for dot in dots]) for axis in (0, 1)]
    _axes(pen, ranges)
    taken: list[Box] = []
    for x, y, name in sorted(dots, key=lambda dot: -dot[1]):
        at = (_place(x, ranges[0], SIZE[0]), SIZE[1] - _place(y, ranges[1], SIZE[1]))
        pen.ellipse((at[0] - 4, at[1] - 4, at[0] + 4, at[1] + 4), fill=MARK)
        box = _move_free(pen.textbbox((at[0] + 7, at[1] - 6), name), taken)
        pen.text(box[:2], name, fill=INK, anchor="la")
        taken.append(box)
    return sheet


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _move_free(box: Box, taken: list[Box]) -> Box:
    """The box, moved down as far as needed to lie on none of those taken."""
    for _ in taken:
        hit = [t for t in taken if _overlap(box, t)]
        if not hit:
            break
        down = max(other[3] for other in hit) - box[1]
        box = (box[0], box[1] + down, box[2], box[3] + down)
    return box


def _range(values: list[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = max(0.5, 0.08 * (high - low))
    return low - room, high + room


def _place(value: float, span: tuple[float, float], side: int) -> float:
    return EDGE + (value - span[0]) / (span[1] - span[0]) * (side - 2 * EDGE)


def _axes(pen: ImageDraw.ImageDraw, ranges: list[tuple[float, float]]) -> None:
    width, height = SIZE
    pen.line((EDGE, height - EDGE, width - EDGE, height - EDGE), fill=DIM)
    pen.line((EDGE, EDGE, EDGE, height - EDGE), fill=DIM)
    pen.text((width - 330, height - 30), "PSNR outside the edit (dB), more is kept", fill=INK)
    pen.text((EDGE, 30), "PSNR against the true answer inside the edit (dB)", fill=INK)
    for axis, span in enumerate(ranges):
        for value in range(int(np.ceil(span[0])), int(span[1]) + 1, 2):
            if axis:
                pen.text((25, height - _place(value, span, height) - 6), f"{value}", fill=DIM)
            else:
                pen.text((_place(value, span, width) - 6, height - 52), f"{value}", fill=DIM)


def draw_gallery(shown: "Mapping[str, list[Floats]]") -> Image.Image:
    """Draw a row for each method, with the same edits side by side.

    shown: pictures by method, height x width x 3 float32, 0..1. Returns RGB, uint8, 0..255.
    """
    side = len(next(iter(shown.values()))[0])
    sheet = Image.new("RGB", (LABEL + MAX_SHOWN * side, len(shown) * side), PAPER)
    pen = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(shown.items()):
        pen.text((8, row * side + side // 2 - 6), name, fill=INK)
        for column, picture in enumerate(pictures[:MAX_SHOWN]):
            tile = Image.fromarray(np.rint(picture * 255).astype(np.uint8))
            sheet.paste(tile, (LABEL + column * side, row * side))
    return sheet
