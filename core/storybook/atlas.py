"""The catalogue of things, and the sprite of each thing in every style (one archive a style)."""

import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

RESOURCES = Path(__file__).resolve().parents[2] / "resources" / "storybook"
STYLES = ("clay", "flat", "ink", "cartoon")

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Thing:
    """One drawable thing; ``also`` names may be trained on, ``held_out`` names never are."""

    name: str
    code: str
    category: str
    also: tuple[str, ...]
    held_out: tuple[str, ...]
    tier: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


@cache
def catalogue() -> dict[str, Thing]:
    """Read every thing by name, in file order: the small vocabulary first."""
    rows = json.loads((RESOURCES / "catalogue.json").read_text(encoding="utf-8"))
    things = [
        Thing(**{**row, "also": tuple(row["also"]), "held_out": tuple(row["held_out"])})
        for row in rows
    ]
    return {thing.name: thing for thing in things}


def names(tier: str = "large") -> tuple[str, ...]:
    """List the names in a vocabulary; the large one contains the small one."""
    return tuple(n for n, thing in catalogue().items() if tier == "large" or thing.tier == tier)


@cache
def _load_sprite(name: str, style: str) -> Image.Image:
    with zipfile.ZipFile(RESOURCES / f"{style}.zip") as archive:
        content = archive.read(f"{catalogue()[name].code}.webp")
    return Image.open(io.BytesIO(content)).convert("RGBA")


@lru_cache(maxsize=4096)
def sprite(name: str, style: str, side: int, flip: bool = False) -> Image.Image:
    """Return a thing's drawing, (side, side, 4) uint8, straight RGBA, 0..255; do not draw on it."""
    image = _load_sprite(name, style)
    if flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    premultiplied = image.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS)
    return premultiplied.convert("RGBA")
