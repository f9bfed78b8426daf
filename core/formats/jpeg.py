"""JPEG: the flattened picture over white."""

from pathlib import Path
from typing import ClassVar

from core.catalog import formats
from core.files.atomic import atomic_write
from core.formats.flat import (
    encode_image,
    exif_options,
    flat_image,
    read_flat,
    refuse_large,
)
from core.paint.document import Document

MAX_SIDE = 65_500


@formats.register
class Jpeg:
    """A small flat picture without transparency."""

    id: ClassVar[str] = "jpeg"
    label: ClassVar[str] = "JPEG picture"
    suffixes: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")
    keeps: ClassVar[frozenset[str]] = frozenset()

    def read(self, path: Path) -> Document:
        return read_flat(path)

    def write(self, document: Document, path: Path) -> None:
        refuse_large(path, document, MAX_SIDE, self.label)
        image = flat_image(document, opaque=True)
        options = {key: value for key, value in exif_options(document).items() if key != "xmp"}
        data = encode_image(path, image, "JPEG", quality=95, subsampling=0, **options)
        atomic_write(path, lambda stream: stream.write(data))
