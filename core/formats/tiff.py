"""TIFF: the flattened picture for print and archives."""

from pathlib import Path
from typing import ClassVar

from core.catalog import formats
from core.files.atomic import atomic_write
from core.formats.flat import encode_image, exif_options, flat_image, read_flat
from core.paint.document import Document


@formats.register
class Tiff:
    """A flat picture with transparency, compressed without loss."""

    id: ClassVar[str] = "tiff"
    label: ClassVar[str] = "TIFF picture"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff")
    keeps: ClassVar[frozenset[str]] = frozenset({"pixels", "alpha"})

    def read(self, path: Path) -> Document:
        return read_flat(path)

    def write(self, document: Document, path: Path) -> None:
        options = {key: value for key, value in exif_options(document).items() if key == "dpi"}
        data = encode_image(
            path, flat_image(document, opaque=False), "TIFF", compression="tiff_deflate", **options
        )
        atomic_write(path, lambda stream: stream.write(data))
