"""WebP: the flattened picture, lossless."""

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

MAX_SIDE = 16_383


@formats.register
class WebP:
    """A flat picture with transparency, smaller than PNG and just as exact."""

    id: ClassVar[str] = "webp"
    label: ClassVar[str] = "WebP picture"
    suffixes: ClassVar[tuple[str, ...]] = (".webp",)
    keeps: ClassVar[frozenset[str]] = frozenset({"pixels", "alpha"})

    def read(self, path: Path) -> Document:
        return read_flat(path)

    def write(self, document: Document, path: Path) -> None:
        refuse_large(path, document, MAX_SIDE, self.label)
        image = flat_image(document, opaque=False)
        options = {key: value for key, value in exif_options(document).items() if key != "dpi"}
        data = encode_image(path, image, "WEBP", lossless=True, quality=50, **options)
        atomic_write(path, lambda stream: stream.write(data))
