"""OpenRaster, the native format: layers any program opens, recipes and masks in extra entries."""

from pathlib import Path
from typing import ClassVar

from core.catalog import formats
from core.formats.ora_reading import read_ora
from core.formats.ora_writing import write_ora
from core.paint.document import Document


@formats.register
class OpenRaster:
    """All layers, groups, masks and recipes; Krita, GIMP and MyPaint open it too."""

    id: ClassVar[str] = "ora"
    label: ClassVar[str] = "OpenRaster"
    suffixes: ClassVar[tuple[str, ...]] = (".ora",)
    keeps: ClassVar[frozenset[str]] = frozenset({"pixels", "alpha", "layers", "recipes", "masks"})

    def read(self, path: Path) -> Document:
        return read_ora(path)

    def write(self, document: Document, path: Path) -> None:
        write_ora(document, path, read_ora)
