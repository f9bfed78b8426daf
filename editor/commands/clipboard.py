"""Copy, cut and paste between a document and the system's clipboard."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QGuiApplication, QImage

from core.errors import EditorError
from core.formats.flat import unpremultiply
from editor.commands import document_edits

if TYPE_CHECKING:
    from core.paint.document import Document


def copy(document: "Document") -> None:
    """Put the active layer's pixels inside the selection on the clipboard.

    Raises EditorError when there is nothing to copy.
    """
    pixels, _ = document_edits.copy_pixels(document)
    rgba = np.ascontiguousarray(unpremultiply(pixels))
    height, width = rgba.shape[:2]
    image = QImage(rgba.data, width, height, width * 4, QImage.Format.Format_RGBA8888)
    QGuiApplication.clipboard().setImage(image.copy())


def cut(document: "Document") -> None:
    """Copy, then erase what was copied."""
    copy(document)
    document_edits.clear(document)


def paste(document: "Document") -> None:
    """A new layer with the clipboard's picture. Raises EditorError when there is none."""
    image = QGuiApplication.clipboard().image()
    if image.isNull():
        raise EditorError("There is no picture on the clipboard.")
    image = image.convertToFormat(QImage.Format.Format_RGBA8888_Premultiplied)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)
    document_edits.paste(document, pixels.copy())
