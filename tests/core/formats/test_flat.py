"""Pictures as other programs write them: colour modes, depth, profiles, rotation, frames."""

import io
import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.errors import FileError
from core.formats.decoding import premultiply
from core.formats.flat import unpremultiply
from core.formats.opening import open_document, save_document
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.tiles import Pixels
from tests.contracts.test_formats import layered, noise


def shown(path: Path) -> Pixels:
    document = open_document(path)
    return flatten(document.root, document.bounds)


def gradient() -> Image.Image:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return Image.fromarray(np.dstack([np.tile(ramp, (48, 1))] * 3))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_colour_modes(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tif"
    image = gradient().convert(mode)
    if mode == "HSV":
        path, image = tmp_path / "picture.png", image.convert("RGB")
    image.save(path)
    pixels = shown(path)
    wanted = np.asarray(image.convert("RGB"), int)
    assert (pixels[..., 3] == 255).all()
    assert np.abs(pixels[..., :3] - wanted).max() <= 2


def test_sixteen_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16)
    Image.fromarray(np.tile(values, (8, 1))).save(tmp_path / "deep.png")
    pixels = shown(tmp_path / "deep.png")
    assert np.array_equal(pixels[0, :, 0], np.rint(values / 257).astype(np.uint8))


def test_float_tiffs_are_shown(tmp_path: Path) -> None:
    values = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (8, 1))
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "float.tif")
    assert shown(tmp_path / "float.tif")[4, -1, 0] == 255


def test_a_turned_photograph_is_upright_and_is_not_turned_twice(tmp_path: Path) -> None:
    image = gradient()
    exif = image.getexif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera"
    image.save(tmp_path / "turned.jpg", exif=exif)
    document = open_document(tmp_path / "turned.jpg")
    assert document.size == (48, 64)
    save_document(document, tmp_path / "again.jpg")
    with Image.open(tmp_path / "again.jpg") as again:
        assert again.size == (48, 64)
        assert 0x0112 not in again.getexif()
        assert again.getexif()[0x010F] == "A camera"


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_the_first_frame_opens_with_a_note(tmp_path: Path, suffix: str) -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    path = tmp_path / f"moving{suffix}"
    first.save(path, save_all=True, append_images=[second], duration=100, lossless=True)
    document = open_document(path)
    assert "2 frames" in document.note
    assert flatten(document.root, document.bounds)[0, 0, :3].tolist() == [255, 0, 0]


def test_an_embedded_profile_is_turned_into_srgb(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    gradient().save(tmp_path / "same.png", icc_profile=lab.tobytes())
    assert np.abs(shown(tmp_path / "same.png")[..., :3] - np.asarray(gradient(), int)).max() <= 1
    gradient().save(tmp_path / "broken.png", icc_profile=b"not a profile")
    assert np.array_equal(shown(tmp_path / "broken.png")[..., :3], np.asarray(gradient()))


def test_a_picture_under_the_wrong_name_opens(tmp_path: Path) -> None:
    gradient().save(tmp_path / "real.png")
    (tmp_path / "real.png").rename(tmp_path / "real.jpg")
    assert open_document(tmp_path / "real.jpg").size == (64, 48)
    save_document(layered(), tmp_path / "layers.ora")
    (tmp_path / "layers.ora").rename(tmp_path / "layers.png")
    assert len(open_document(tmp_path / "layers.png").root.children) == 3


def test_more_pixels_than_can_be_opened_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    import struct
    import zlib

    data[16:24] = struct.pack(">II", 200_000, 200_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(FileError, match=r"bomb\.png"):
        open_document(tmp_path / "bomb.png")


def test_an_unknown_ending_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"\.ora.*\.png"):
        save_document(Document(layered().size), tmp_path / "picture.xyz")


def test_recipes_travel_in_png_text(tmp_path: Path) -> None:
    save_document(layered(), tmp_path / "edited.png")
    carried = json.loads(open_document(tmp_path / "edited.png").extras["sfumato"])
    recipe = carried["layers"][0]["recipe"]
    assert recipe["technique"] == "sdedit"
    assert recipe["seed"] == 9
    assert '"a cat"' in str(Image.open(tmp_path / "edited.png").text["sfumato"])  # type: ignore[attr-defined]


def test_straight_and_premultiplied_are_inverse_to_the_bit() -> None:
    every = np.array(
        [(value, 0, alpha, alpha) for alpha in range(256) for value in range(alpha + 1)], np.uint8
    )[None]
    assert np.array_equal(premultiply(Image.fromarray(unpremultiply(every), "RGBA")), every)
    assert np.array_equal(unpremultiply(noise(9, 9))[..., 3], noise(9, 9)[..., 3])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_program_in_a_pictures_clothes_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a decoder started another program")

    monkeypatch.setattr(subprocess, "Popen", start)
    path = tmp_path / f"drawing{suffix}"
    path.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"
    )
    with pytest.raises(FileError, match="drawing"):
        open_document(path)


def two_halves(image: Image.Image, key: object) -> Image.Image:
    """A picture of 8 x 8 pixels whose left half has the value that stands for nothing."""
    image.paste(key, (0, 0, 4, 8))  # type: ignore[arg-type]
    return image


@pytest.mark.parametrize("has_profile", [False, True])
@pytest.mark.parametrize(
    ("mode", "other", "key"),
    [("P", 1, 0), ("RGB", (0, 128, 0), (255, 0, 255)), ("L", 90, 7), ("I;16", 40000, 0)],
)
def test_a_colour_that_stands_for_nothing_is_transparent(
    tmp_path: Path, mode: str, other: Any, key: Any, has_profile: bool
) -> None:
    if mode == "I;16":
        values = np.full((8, 8), other, np.uint16)
        values[:, :4] = key
        image = Image.fromarray(values)
    else:
        image = two_halves(Image.new(mode, (8, 8), other), key)
    if mode == "P":
        image.putpalette([255, 0, 0, 0, 255, 0] + [0] * 762)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, Any] = {"icc_profile": srgb} if has_profile else {}
    image.save(tmp_path / "cut.png", transparency=key, **options)
    alpha = shown(tmp_path / "cut.png")[..., 3]
    assert (alpha[:, :4] == 0).all()
    assert (alpha[:, 4:] == 255).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_xmp_does_not_turn_a_picture_that_is_upright(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    Image.new("RGB", (12, 8)).save(tmp_path / "in.jpg", exif=exif, xmp=xmp)
    document = open_document(tmp_path / "in.jpg")
    assert document.size == (8, 12)
    save_document(document, tmp_path / f"out{suffix}")
    assert open_document(tmp_path / f"out{suffix}").size == (8, 12)


@pytest.mark.parametrize(
    "entry",
    [struct.pack("<HHI", 0x11A, 2, 4) + b"72\0\0", struct.pack("<HHIi", 0x111, 9, 1, -5)],
    ids=["text for a number", "a negative place"],
)
def test_exif_that_cannot_be_rewritten_costs_the_exif_alone(tmp_path: Path, entry: bytes) -> None:
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0"
    Image.new("RGB", (12, 8), (9, 9, 200)).save(tmp_path / "odd.jpg", exif=exif)
    document = open_document(tmp_path / "odd.jpg")
    assert document.size == (12, 8)
    assert "EXIF data in odd.jpg is damaged" in document.note
    save_document(document, tmp_path / "again.jpg")
    assert open_document(tmp_path / "again.jpg").note == ""
