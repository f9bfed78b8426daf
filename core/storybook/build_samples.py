"""Draws the sample pictures in resources/samples (the photographs need scikit-image)."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.formats.ora_reading import read_ora
from core.formats.ora_writing import write_ora
from core.geometry import Size
from core.paint.document import Document
from core.paint.layers import Group, Layer
from core.paint.tiles import Tiles
from core.storybook.render import render
from core.storybook.scene import Item, Scene

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
SIDE = 768

SCENES = {
    "meadow": Scene(
        (
            Item("house", 0.20, 0.52, 0.34),
            Item("tree", 0.80, 0.48, 0.38),
            Item("dog face", 0.50, 0.74, 0.34),
        ),
        "meadow",
        seed=11,
    ),
    "beach": Scene(
        (
            Item("sun", 0.78, 0.20, 0.24),
            Item("sailboat", 0.24, 0.40, 0.26),
            Item("palm tree", 0.72, 0.60, 0.46),
            Item("football", 0.34, 0.82, 0.20),
        ),
        "beach",
        seed=5,
    ),
    "table": Scene(
        (
            Item("banana", 0.24, 0.62, 0.34),
            Item("red apple", 0.53, 0.58, 0.30),
            Item("strawberry", 0.79, 0.66, 0.26),
        ),
        "table",
        "right",
        seed=2,
    ),
}
"""The scenes of the sample pictures; the names are file names."""


def build_document(name: str, side: int = SIDE) -> Document:
    """Build a scene as a layered document: the place, then each thing with its shadow."""
    scene = SCENES[name]
    titles = [scene.place, *(item.name for item in scene.items)]
    layers = tuple(
        Layer(title.capitalize(), id=f"{name}-{index}", tiles=Tiles.of(premultiply(pixels)))
        for index, (title, pixels) in enumerate(
            zip(titles, render(scene, side).layers, strict=True)
        )
    )
    return Document(Size(side, side), Group("Root", children=layers))


def premultiply(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Convert straight RGBA, height x width x 4 uint8, 0..255, to premultiplied RGBA."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    colours = np.rint(pixels[..., :3] * alpha).astype(np.uint8)
    return np.concatenate([colours, pixels[..., 3:]], axis=-1)


def draw_scenes(folder: Path = SAMPLES) -> None:
    """Write each scene flat as PNG and layered as OpenRaster."""
    for name, scene in SCENES.items():
        Image.fromarray(render(scene, SIDE).image).save(folder / f"{name}.png", optimize=True)
        write_ora(build_document(name), folder / f"{name}.ora", read_ora)


def draw_photographs(folder: Path = SAMPLES) -> None:
    """Write the photographs as JPEG; CREDITS.md names their sources."""
    from skimage import data

    pictures: dict[str, Any] = {"coffee": data.coffee, "chelsea": data.chelsea}
    for name, load in pictures.items():
        Image.fromarray(load()).save(folder / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    draw_scenes()
    draw_photographs()
