"""The one way from a picture file to pixels: for flat files and for the layers of OpenRaster."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from core.errors import EditorError, FileError
from core.formats.limits import refuse_size
from core.geometry import Rect
from core.paint.tiles import TILE, Pixels, Tiles

DECODERS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF")
"""What is decoded, whatever the file is called: no other decoder ever sees a stranger's file."""
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
WHOLE = 255
Convert = Callable[[Image.Image], Image.Image]


@contextmanager
def translate_decoder_errors(name: str) -> Iterator[None]:
    """Make one sentence of whatever a decoder raises of a damaged file.

    Raises FileError; that a file is not there or may not be read passes, and so does a lack of
    memory.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (EditorError, FileNotFoundError, IsADirectoryError, PermissionError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise FileError(f"{name} is not a picture that Sfumato can read.") from error
    except Exception as error:  # noqa: BLE001 - foreign decoders raise anything of a damaged file
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise FileError(f"{name} is damaged or cut short: {why}.") from error


@contextmanager
def open_image(source: Path | BinaryIO | bytes, name: str) -> Iterator[Image.Image]:
    """A picture whose size fits a canvas, with nothing decoded yet.

    Raises FileError for what is no picture, or too large a one. Use it inside
    translate_decoder_errors.
    """
    with _allow_large(), Image.open(_stream(source), formats=DECODERS) as image:
        refuse_size(name, *image.size)
        yield image


def _stream(source: Path | BinaryIO | bytes) -> Path | BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


@contextmanager
def _allow_large() -> Iterator[None]:
    """Let Pillow open as many pixels as a canvas may have: sizes are checked here."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def decode_layer(data: bytes, name: str, x: int = 0, y: int = 0) -> Tiles:
    """The pixels of a picture in memory, as a plane with its corner at (x, y).

    Raises FileError naming what is wrong.
    """
    with translate_decoder_errors(name), open_image(data, name) as image:
        return to_tiles(image, start_decoding(image), x, y)


def decode_mask(data: bytes, name: str, x: int, y: int, fill: int) -> Tiles:
    """The brightness of a picture in memory, as a plane of one channel.

    Raises FileError naming what is wrong.
    """
    with translate_decoder_errors(name), open_image(data, name) as image:
        image.load()
        return _fill_tiles(Tiles(1, fill), image, lambda part: part.convert("L"), x, y)


def start_decoding(image: Image.Image) -> Convert:
    """Load an image; return what makes straight 8-bit RGBA in sRGB of it or of parts of it.

    Raises whatever the decoder does.
    """
    raw = _raw_mode(image)
    image.load()
    return _make_convert(image, raw)


def to_tiles(image: Image.Image, convert: Convert, x: int = 0, y: int = 0) -> Tiles:
    """A loaded image as a plane of premultiplied RGBA in sRGB with its corner at (x, y).

    ``convert`` is that of start_decoding. Besides the image itself no more than a band of it is in
    memory twice, and equal tiles beside each other are stored once.
    """
    return _fill_tiles(Tiles(), image, convert, x, y)


def _fill_tiles(tiles: Tiles, image: Image.Image, convert: Convert, x: int, y: int) -> Tiles:
    """Convert an image band by band along the rows of a plane's tiles, and write it there."""
    top = 0
    while top < image.height:
        bottom = min(image.height, top + TILE - (y + top) % TILE)
        band = convert(image.crop((0, top, image.width, bottom)))
        pixels = premultiply(band) if tiles.channels == 4 else np.array(band, np.uint8)[..., None]
        tiles.write(Rect(x, y + top, image.width, bottom - top), pixels)
        tiles.share_equal((y + top) // TILE)
        top = bottom
    return tiles.prune()


def turn_upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its metadata says that it should be seen; not where that is damaged."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except (EditorError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - damaged metadata raises anything, and costs itself alone
        return image
    return image


def _raw_mode(image: Image.Image) -> str:
    """How a file that is not yet loaded packs its pixels, such as ``L;4`` for grey of four bits."""
    if not getattr(image, "tile", None):
        return ""
    args = image.tile[0][3]  # type: ignore[attr-defined]
    return str(args[0] if isinstance(args, tuple) and args else args)


def _make_convert(image: Image.Image, raw: str) -> Convert:
    """What makes straight 8-bit RGBA in sRGB of parts of a loaded image."""
    key = _transparent_key(image, raw)
    top = _largest_value(image)
    transform = _profile_transform(image)

    def convert(part: Image.Image) -> Image.Image:
        alpha = _alpha(part, key)
        part = _to_eight_bit(part, top)
        if alpha is not None:
            part.info.pop("transparency", None)
            part = part.convert("RGB")
        part = part if transform is None else transform(part)
        part = part.convert("RGBA")
        if alpha is not None:
            part.putalpha(alpha)
        return part

    return convert


Colour = int | tuple[int, ...] | bytes


def _transparent_key(image: Image.Image, raw: str) -> Colour | None:
    """The colour or palette that stands for nothing, at the depth of the loaded pixels."""
    key = image.info.get("transparency")
    if key is None or image.mode in {"LA", "PA", "RGBA", "La", "RGBa"}:
        return None
    if isinstance(key, tuple) and max(key, default=0) > WHOLE:
        # Pillow keeps the upper eight of sixteen bits of coloured pixels.
        return tuple(value >> 8 for value in key)
    if isinstance(key, int) and image.mode in {"1", "L"}:
        depth = {"1": 1, "L;1": 1, "L;2": 2, "L;4": 4}.get(raw, 8)
        return (key & ((1 << depth) - 1)) * (WHOLE // ((1 << depth) - 1))
    return key if isinstance(key, (int, tuple, bytes)) else None


def _alpha(part: Image.Image, key: Colour | None) -> Image.Image | None:
    """The alpha of a palette or of one colour that stands for nothing; None if there is neither."""
    if key is None:
        return None
    if part.mode == "P":
        return part.convert("RGBA").getchannel("A")
    values = np.asarray(part.convert("L") if part.mode == "1" else part)
    same = values == np.asarray(key)
    if same.ndim == 3:
        same = same.all(axis=2)
    return Image.fromarray(np.where(same, 0, WHOLE).astype(np.uint8))


def _largest_value(image: Image.Image) -> float:
    """The value of white in a picture of floating-point numbers: 1, or 255 if some are larger."""
    if image.mode != "F":
        return 1.0
    return 1.0 if np.nanmax(np.asarray(image), initial=0) <= 1 else 255.0


def _to_eight_bit(image: Image.Image, top: float) -> Image.Image:
    if image.mode in DEEP_MODES:
        values = np.asarray(image, np.float64)
        return Image.fromarray(np.rint(np.clip(values, 0, 65535) / 257).astype(np.uint8))
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float64))
        return Image.fromarray(np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    return image


def _profile_transform(image: Image.Image) -> Convert | None:
    """From the embedded profile to sRGB; None without one, or where it does not fit."""
    if image.mode == "LAB":
        return _build_transform(ImageCms.createProfile("LAB"), "LAB")
    data = image.info.get("icc_profile")
    if not data:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    is_grey = image.mode in {*DEEP_MODES, "1", "L", "LA", "F"}
    plain = ("L", "RGB") if is_grey else ("CMYK",) if image.mode == "CMYK" else ("RGB",)
    found = (_build_transform(profile, mode) for mode in plain)
    return next((transform for transform in found if transform), None)


def _build_transform(profile: Any, plain: str) -> Convert | None:
    """From a profile to sRGB, for images that are converted to a mode first."""
    try:
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, target, plain, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(part: Image.Image) -> Image.Image:
        has_alpha = "A" in part.getbands() and part.mode != "LAB"
        alpha = part.getchannel("A") if has_alpha else None
        shown = ImageCms.applyTransform(part.convert(plain), transform)
        if shown is None:
            return part
        if alpha is not None:
            shown.putalpha(alpha)
        return shown

    return convert


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
