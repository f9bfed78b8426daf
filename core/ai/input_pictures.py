"""Pictures that a recipe names by their files, laid over the canvas and cut as its own is."""

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

KEPT = 4
"""Cut-outs held between runs: reading a photo takes a second."""

Box = tuple[float, float, float, float]


def load_input_pictures(
    recipe: Recipe, canvas: Size, rect: Rect, geometry: Geometry
) -> dict[str, Floats]:
    """What each picture shows inside a rectangle of the canvas, at the model's size.

    Raises FileError naming the parameter and the file that cannot be read.
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


@lru_cache(KEPT)
def _fit_to_canvas(path: Path, written: str, canvas: Size, rect: Rect) -> Pixels:
    """Over white, just large enough to cover the canvas, and centred on it.

    ``written`` tells apart what the file held at different times.
    """
    image = flat_image(open_document(path), opaque=True)
    way = Image.Resampling.BICUBIC
    laid = np.asarray(image.resize(rect.size, way, _box(Size(*image.size), canvas, rect)))
    laid.setflags(write=False)
    return laid


def _box(size: Size, canvas: Size, rect: Rect) -> Box:
    """Where a rectangle of the canvas lies on a picture of some size that covers the canvas."""
    scale = min(size.width / canvas.width, size.height / canvas.height)
    left = max(0.0, (size.width - canvas.width * scale) / 2)
    top = max(0.0, (size.height - canvas.height * scale) / 2)
    return (
        left + rect.x * scale,
        top + rect.y * scale,
        min(left + rect.right * scale, size.width),
        min(top + rect.bottom * scale, size.height),
    )
