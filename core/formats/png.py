"""PNG: the flattened picture, with recipes in a text chunk."""

from pathlib import Path
from typing import ClassVar

from PIL.PngImagePlugin import PngInfo

from core.catalog import formats
from core.files.atomic import atomic_write
from core.formats.flat import (
    encode_image,
    exif_options,
    flat_image,
    read_flat,
    recipe_chunks,
)
from core.paint.document import Document


@formats.register
class Png:
    """A flat picture with transparency that any program opens; recipes travel as text."""

    id: ClassVar[str] = "png"
    label: ClassVar[str] = "PNG picture"
    suffixes: ClassVar[tuple[str, ...]] = (".png",)
    keeps: ClassVar[frozenset[str]] = frozenset({"pixels", "alpha", "recipes"})

    def read(self, path: Path) -> Document:
        return read_flat(path)

    def write(self, document: Document, path: Path) -> None:
        chunks = PngInfo()
        for name, text in recipe_chunks(document).items():
            chunks.add_itxt(name, text)
        options = {key: value for key, value in exif_options(document).items() if key != "xmp"}
        data = encode_image(
            path, flat_image(document, opaque=False), "PNG", pnginfo=chunks, **options
        )
        atomic_write(path, lambda stream: stream.write(data))
