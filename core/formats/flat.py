"""Pictures without layers: read with Pillow into sRGB bytes, written flattened."""

import io
import json
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from core.errors import EditorError, FileError, VersionError
from core.files.atomic import translate_read_errors
from core.geometry import Size
from core.paint.document import MAX_SIDE, Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, walk
from core.paint.tiles import Pixels, Tiles
from core.task import RECIPE_SCHEMA
from core.versions.schema import Schema

MAX_PIXELS = 1 << 29
"""2 GB as RGBA: a little over 23,000 x 23,000."""
RECIPES = "sfumato"
"""Name of the text chunk or entry that carries recipes."""
SCHEMA = Schema("list of recipes")
OWN_RECIPES = f"{RECIPES}-{SCHEMA.version}.{RECIPE_SCHEMA.version}"
"""Name of the chunk for our recipes where the first name carries those of a newer Sfumato."""
ORIENTATION = 0x0112
"""EXIF's tag for how a picture was turned."""
ODD_EXIF = (TypeError, ValueError, KeyError, OverflowError, struct.error)
"""What Pillow raises of EXIF data that no camera should write."""
DECODERS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF")
"""What is decoded, whatever the file is called: no other decoder ever sees a stranger's file."""
CARRIED = ("dpi", "xmp", RECIPES, OWN_RECIPES)
"""What of a picture's metadata goes back into it as it came; EXIF is carried too."""


def read_flat(path: Path) -> Document:
    """A document with the picture as its one layer. Raises FileError naming what is wrong."""
    with translate_read_errors(path):
        pixels, extras, note = _read_picture(path)
    size = Size(pixels.shape[1], pixels.shape[0])
    layer = Layer(path.stem, tiles=Tiles.of(pixels))
    document = Document(size, Group("Root", children=(layer,)))
    document.activate(layer.id)
    document.extras = extras
    document.note = note
    return document


def _read_picture(path: Path) -> tuple[Pixels, dict[str, Any], str]:
    if path.is_file() and not path.stat().st_size:
        raise FileError(f"{path.name} is empty (0 bytes).")
    try:
        with limit_pixels():
            return _decode(path)
    except Image.DecompressionBombError as error:
        raise FileError(f"{path.name} declares more pixels than can be opened.") from error
    except UnidentifiedImageError as error:
        raise FileError(f"{path.name} is not a picture that Sfumato can read.") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        if isinstance(error, (FileNotFoundError, IsADirectoryError, PermissionError)):
            raise
        raise FileError(f"{path.name} is damaged or cut short: {error}.") from error


@contextmanager
def limit_pixels() -> Iterator[None]:
    """Let Pillow open as many pixels as a canvas may have, without its warnings of odd metadata."""
    before = Image.MAX_IMAGE_PIXELS
    # Pillow refuses what has more than twice this.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _decode(path: Path) -> tuple[Pixels, dict[str, Any], str]:
    with Image.open(path, formats=DECODERS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise FileError(
                f"{path.name} is {width} x {height} pixels; "
                f"Sfumato opens up to {MAX_SIDE} a side and {MAX_PIXELS >> 20} million in all."
            )
        frames = int(getattr(image, "n_frames", 1))
        note = f"{path.name} has {frames} frames; the first one was opened." if frames > 1 else ""
        image.load()
        upright = _turn_upright(image)
        # Of the upright picture: its metadata no longer says how to turn it.
        extras = {key: upright.info[key] for key in CARRIED if key in upright.info}
        if are_recipes_newer(extras):
            note = f"{note} {newer_note(path)}".strip()
        try:
            exif = image.getexif()
            exif.pop(ORIENTATION, None)
            if len(exif):
                extras["exif"] = exif.tobytes()
        except ODD_EXIF:
            note = f"{note} The EXIF data in {path.name} is damaged and is not kept.".strip()
        return premultiply(_to_srgb(upright)), extras, note


def _turn_upright(image: Image.Image) -> Image.Image:
    """The picture as its metadata says that it should be seen; as it is where that is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except ODD_EXIF:
        return image


def _to_srgb(image: Image.Image) -> Image.Image:
    """A picture of any mode and profile as straight 8-bit RGBA in sRGB."""
    profile = image.info.get("icc_profile")
    alpha = _transparency(image)
    image = _to_eight_bit(image)
    if alpha is not None:
        image = image.convert("RGB")
    if profile:
        image = _convert_to_srgb(image, profile)
    image = image.convert("RGBA")
    if alpha is not None:
        image.putalpha(alpha)
    return image


def _transparency(image: Image.Image) -> Image.Image | None:
    """The alpha of a palette or of one colour that stands for nothing; None if there is neither."""
    key = image.info.get("transparency")
    if key is None or image.mode in {"LA", "PA", "RGBA"}:
        return None
    if image.mode.startswith("I"):
        values = np.asarray(image) != key
        return Image.fromarray(np.where(values, 255, 0).astype(np.uint8))
    return image.convert("RGBA").getchannel("A")


def _to_eight_bit(image: Image.Image) -> Image.Image:
    if image.mode in {"I;16", "I;16L", "I;16B", "I;16N", "I"}:
        values = np.asarray(image, np.float64)
        return Image.fromarray(np.rint(np.clip(values, 0, 65535) / 257).astype(np.uint8))
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float64))
        top = 1.0 if values.max(initial=0) <= 1 else 255.0
        return Image.fromarray(np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    return image


def _convert_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """From the embedded profile to sRGB; a profile that does not fit is left out."""
    alpha = image.getchannel("A") if "A" in image.getbands() else None
    plain = image if image.mode in {"RGB", "CMYK", "L"} else image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        shown = ImageCms.profileToProfile(plain, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    if shown is None:
        return image
    if alpha is not None:
        shown.putalpha(alpha)
    return shown


def premultiply(image: Image.Image) -> Pixels:
    """Multiply colours by alpha, rounded.

    image: straight RGBA. Returns height x width x 4 uint8, premultiplied RGBA, 0..255.
    """
    pixels = np.array(image, np.uint8)
    alpha = pixels[..., 3]
    if (alpha == 255).all():
        return pixels
    rows = max(1, (1 << 22) // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], rows):
        part = pixels[top : top + rows]
        wide = part[..., :3].astype(np.uint16) * part[..., 3:]
        part[..., :3] = ((wide + 127) // 255).astype(np.uint8)
    return pixels


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
        found = json.loads(str(extras.get(RECIPES, "")) or "{}")
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
    return f"The recipes in {path.name} are of a newer Sfumato: they are kept as they are."


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
