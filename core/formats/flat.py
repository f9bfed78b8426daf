"""Pictures without layers: read as one layer, written flattened."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.errors import EditorError, FileError, VersionError, readable
from core.files.atomic import translate_read_errors
from core.formats.decoding import (
    open_image,
    start_decoding,
    to_tiles,
    translate_decoder_errors,
    turn_upright,
)
from core.formats.limits import parse_json
from core.geometry import Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, walk
from core.paint.tiles import Pixels
from core.task import RECIPE_SCHEMA
from core.versions.schema import Schema

RECIPES = "sfumato"
"""Name of the text chunk or entry that carries recipes."""
SCHEMA = Schema("list of recipes")
OWN_RECIPES = f"{RECIPES}-{SCHEMA.version}.{RECIPE_SCHEMA.version}"
"""Name of the chunk for our recipes where the first name carries those of a newer Sfumato."""
ORIENTATION = 0x0112
"""EXIF's tag for how a picture was turned."""
CARRIED = ("dpi", "xmp", RECIPES, OWN_RECIPES)
"""What of a picture's metadata goes back into it as it came; EXIF is carried too."""


def read_flat(path: Path) -> Document:
    """A document with the picture as its one layer. Raises FileError naming what is wrong."""
    name = readable(path.name)
    with translate_read_errors(path), translate_decoder_errors(name):
        if path.is_file() and not path.stat().st_size:
            raise FileError(f"{name} is empty (0 bytes).")
        with open_image(path, name) as image:
            return _read_image(path, image)


def _read_image(path: Path, image: Image.Image) -> Document:
    name = readable(path.name)
    frames = int(getattr(image, "n_frames", 1))
    notes = [f"{name} has {frames} frames; the first one was opened."] if frames > 1 else []
    convert = start_decoding(image)
    turn_upright(image)
    # Of the upright picture: its metadata no longer says how to turn it.
    extras = {key: image.info[key] for key in CARRIED if key in image.info}
    if are_recipes_newer(extras):
        notes.append(newer_note(path))
    exif = _read_exif(image)
    if exif is None:
        notes.append(f"The EXIF data in {name} is damaged and is not kept.")
    elif exif:
        extras["exif"] = exif
    layer = Layer(readable(path.stem), tiles=to_tiles(image, convert))
    document = Document(Size(*image.size), Group("Root", children=(layer,)))
    document.activate(layer.id)
    document.extras = extras
    document.note = " ".join(notes)
    return document


def _read_exif(image: Image.Image) -> bytes | None:
    """EXIF data of an upright picture, empty if there is none; None for what cannot be read."""
    try:
        exif = image.getexif()
        exif.pop(ORIENTATION, None)
        return bytes(exif.tobytes()) if len(exif) else b""
    except (EditorError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - damaged metadata raises anything, and costs itself alone
        return None


def unpremultiply(pixels: Pixels) -> Pixels:
    """Divide colours by alpha, rounded.

    pixels: height x width x 4 uint8, premultiplied RGBA, 0..255. Returns straight RGBA like it.
    """
    out = pixels.copy()
    alpha = pixels[..., 3:].astype(np.uint16)
    soft = (alpha > 0) & (alpha < 255)
    if soft.any():
        wide = (pixels[..., :3].astype(np.uint32) * 255 + alpha // 2) // np.maximum(alpha, 1)
        out[..., :3] = np.where(soft, np.minimum(wide, 255), pixels[..., :3]).astype(np.uint8)
    return out


def flat_image(document: Document, opaque: bool) -> Image.Image:
    """The flattened document as straight RGBA, or over white as RGB.

    The picture is width x height pixels like the canvas, 8-bit, 0..255.
    """
    pixels = flatten(document.root, document.bounds)
    if not opaque:
        return Image.fromarray(unpremultiply(pixels), "RGBA")
    pixels[..., :3] += 255 - pixels[..., 3:]
    return Image.fromarray(np.ascontiguousarray(pixels[..., :3]), "RGB")


def recipes_text(document: Document) -> str:
    """The recipes of all AI layers as JSON, empty when there are none."""
    made = [
        {"name": node.name, "recipe": node.recipe.to_json()}
        for node in walk(document.root)
        if isinstance(node, AiLayer)
    ]
    return json.dumps(SCHEMA.stamp({"layers": made})) if made else ""


def are_recipes_newer(extras: Mapping[str, Any]) -> bool:
    """Whether a picture came with recipes that only a newer Sfumato can read."""
    try:
        found = parse_json(str(extras.get(RECIPES, "")) or "{}")
        SCHEMA.version_of(found)
        for layer in found.get("layers", ()):
            RECIPE_SCHEMA.version_of(layer["recipe"])
    except VersionError:
        return True
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return False


def newer_note(path: Path) -> str:
    """One sentence for the person about a picture with recipes of a newer version."""
    return (
        f"The recipes in {readable(path.name)} are of a newer Sfumato: they are kept as they are."
    )


def recipe_chunks(document: Document) -> dict[str, str]:
    """The text chunks that carry recipes, by name; those of a newer Sfumato stay as they are."""
    kept = {key: str(document.extras.get(key, "")) for key in (RECIPES, OWN_RECIPES)}
    is_newer = are_recipes_newer(document.extras)
    own = OWN_RECIPES if is_newer else RECIPES
    chunks = {own: recipes_text(document) or kept[own]}
    if is_newer:
        chunks[RECIPES] = kept[RECIPES]
    return {name: text for name, text in chunks.items() if text}


def refuse_large(path: Path, document: Document, max_side: int, label: str) -> None:
    """Raises FileError when a side has more pixels than a format can hold."""
    if max(document.size) > max_side:
        raise FileError(
            f"{path.name} was not saved: {label} holds at most {max_side} pixels a side."
        )


def exif_options(document: Document) -> dict[str, Any]:
    """Keyword arguments that carry metadata over."""
    return {key: document.extras[key] for key in ("exif", "dpi", "xmp") if key in document.extras}


def encode_image(path: Path, image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file with a picture: width x height pixels, 8-bit, 0..255.

    Raises FileError when the format cannot hold it.
    """
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **options)
    except (OSError, ValueError, EditorError) as error:
        raise FileError(f"{path.name} was not saved: {error}.") from error
    return buffer.getvalue()
