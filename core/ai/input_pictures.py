"""Pictures that a recipe names by their files, scaled over the canvas and cropped like it."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from core.ai.crop import Floats, Geometry, scale_to_model
from core.ai.recipe_inputs import file_stamp, input_files
from core.errors import EditorError, FileError
from core.formats.flat import flat_image
from core.formats.opening import open_document
from core.geometry import Rect, Size
from core.paint.tiles import Pixels
from core.params import Field, PictureFile
from core.task import Recipe

MAX_CUTOUTS = 4
"""Crops that are kept between runs, because reading a photo takes a second."""

Box = tuple[float, float, float, float]


def load_input_pictures(
    recipe: Recipe, canvas: Size, rect: Rect, geometry: Geometry
) -> dict[str, Floats]:
    """Read each named picture inside a rectangle of the canvas, by parameter.

    Each is height x width x 3 float32 in 0..1 at the model's size. Raises FileError naming the
    parameter and the file that cannot be read.
    """
    return {
        field.name: scale_to_model(_crop_picture(field, path, canvas, rect), geometry)
        for field, path in input_files(recipe)
        if isinstance(field.marker, PictureFile)
    }


def _crop_picture(field: Field, path: Path, canvas: Size, rect: Rect) -> Pixels:
    try:
        return _fit_to_canvas(path, file_stamp(path), canvas, rect)
    except EditorError as error:
        raise FileError(f"{field.label}: {error}") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{field.label}: {path} cannot be read ({error}).") from error


@lru_cache(MAX_CUTOUTS)
def _fit_to_canvas(path: Path, stamp: str, canvas: Size, rect: Rect) -> Pixels:
    """Scale a picture over white so that it just covers the canvas, and crop it to a rectangle.

    ``stamp`` is a part of the cache's key: a file that was written again is read again.
    """
    image = flat_image(open_document(path), opaque=True)
    box = _box(Size(*image.size), canvas, rect)
    crop = np.asarray(image.resize(rect.size, Image.Resampling.BICUBIC, box))
    crop.setflags(write=False)
    return crop


def _box(size: Size, canvas: Size, rect: Rect) -> Box:
    """The box of a picture that a rectangle of the canvas shows, when it covers the canvas."""
    scale = min(size.width / canvas.width, size.height / canvas.height)
    left = max(0.0, (size.width - canvas.width * scale) / 2)
    top = max(0.0, (size.height - canvas.height * scale) / 2)
    return (
        left + rect.x * scale,
        top + rect.y * scale,
        min(left + rect.right * scale, size.width),
        min(top + rect.bottom * scale, size.height),
    )
