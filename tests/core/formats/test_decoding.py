"""One decoder for flat files and layers: depth, profiles, palettes and colour keys are equal."""

import io
import random
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.errors import EditorError, FileError
from core.formats import decoding
from core.formats.decoding import decode_layer, translate_decoder_errors
from core.formats.opening import open_document
from core.formats.ora_writing import MIMETYPE
from core.geometry import Rect
from core.paint.flatten import flatten
from core.paint.tiles import Pixels

SIDE = 16


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(depth: int, colour: int, row: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A picture of SIDE x SIDE pixels in which all rows are alike."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(kind, data) for kind, data in chunks)]
    pixels = zlib.compress((b"\0" + row) * SIDE)
    whole = [b"\x89PNG\r\n\x1a\n", *parts, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"".join(whole)


def saved(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def swapped_profile() -> bytes:
    """A real profile that is not sRGB: its primaries are those of Lab."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


RAMP = np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1))
GREY_KEYS = {
    depth: raw_png(depth, 0, row, (b"tRNS", struct.pack(">H", key)))
    for depth, row, key in (
        (1, b"\x0f\x0f", 1),
        (2, b"\x1b" * 4, 2),
        (4, b"\x38" * 8, 8),
        (8, bytes([7, 90] * 8), 7),
        (16, b"\x12\x34\x99\x99" * 8, 0x1234),
    )
}
STEPS = [v * 4000 for v in range(SIDE)]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLOURS = Image.fromarray(RAMP).convert("RGB")


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


PICTURES = {
    "16-bit grey": raw_png(16, 0, words(*STEPS)),
    "16-bit colour": raw_png(16, 2, b"".join(words(65535, step, 9) for step in STEPS)),
    "16-bit grey and alpha": raw_png(16, 4, b"".join(words(v, 65535 - v) for v in STEPS)),
    "16-bit colour key": raw_png(
        16, 2, (b"\x12\x34" * 3 + b"\xff\xff" * 3) * 8, (b"tRNS", b"\x12\x34" * 3)
    ),
    "palette with alpha": saved(COLOURS.convert("P"), transparency=bytes(range(256))),
    "profile": saved(COLOURS, icc_profile=SRGB),
    "profile that does not fit": saved(COLOURS, icc_profile=swapped_profile()),
    **{f"grey key of {depth} bits": data for depth, data in GREY_KEYS.items()},
}


def as_layer(path: Path, data: bytes) -> Pixels:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", MIMETYPE)
        archive.writestr(
            "stack.xml",
            f'<image w="{SIDE}" h="{SIDE}"><stack><layer src="data/a.png"/></stack></image>',
        )
        archive.writestr("data/a.png", data)
    document = open_document(path)
    return flatten(document.root, document.bounds)


def as_file(path: Path, data: bytes) -> Pixels:
    path.write_bytes(data)
    document = open_document(path)
    return flatten(document.root, document.bounds)


@pytest.mark.parametrize("name", PICTURES)
def test_a_layer_shows_what_the_flat_file_shows(tmp_path: Path, name: str) -> None:
    flat = as_file(tmp_path / "a.png", PICTURES[name])
    assert np.array_equal(flat, as_layer(tmp_path / "a.ora", PICTURES[name]))
    assert len(np.unique(flat.reshape(-1, 4), axis=0)) > 1


@pytest.mark.parametrize("depth", GREY_KEYS)
def test_a_grey_key_of_any_depth_is_transparent(depth: int) -> None:
    tiles = decode_layer(GREY_KEYS[depth], "a.png")
    alpha = tiles.read(Rect(0, 0, SIDE, SIDE))[..., 3]
    assert set(np.unique(alpha)) == {0, 255}
    share = {1: 0.5, 2: 0.25, 4: 0.5, 8: 0.5, 16: 0.5}[depth]
    assert (alpha == 0).mean() == share


def test_a_sixteen_bit_layer_is_rounded_not_cut(tmp_path: Path) -> None:
    shown = as_layer(tmp_path / "deep.ora", PICTURES["16-bit grey"])
    assert shown[0, :, 0].tolist() == [round(v * 4000 / 257) for v in range(SIDE)]


def test_a_profile_changes_a_layer_as_it_changes_a_flat_file(tmp_path: Path) -> None:
    """A grey profile of gamma 1: half the light is a bright grey in sRGB."""
    gamma = b"curv" + bytes(4) + struct.pack(">I", 0)
    xyz = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    tags = [(b"wtpt", xyz), (b"kTRC", gamma)]
    table, body, place = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data
    head = struct.pack(">I4sI", place + len(body), b"none", 0x02400000) + b"mntrGRAYXYZ "
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061) + bytes(48)
    profile = head[:128] + table + body
    data = saved(Image.new("L", (SIDE, SIDE), 128), icc_profile=profile)
    flat = as_file(tmp_path / "a.png", data)
    assert np.array_equal(flat, as_layer(tmp_path / "a.ora", data))
    assert flat[0, 0, 0] > 180


def test_lab_pictures_are_shown(tmp_path: Path) -> None:
    rgb = Image.new("RGB", (8, 8), (200, 60, 40))
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(rgb, *profiles, outputMode="LAB")
    assert lab is not None
    lab.save(tmp_path / "lab.tif")
    shown = as_file(tmp_path / "lab.tif", (tmp_path / "lab.tif").read_bytes())
    assert np.abs(shown[0, 0, :3].astype(int) - (200, 60, 40)).max() <= 4


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), struct.error("x"), OverflowError(), RecursionError("deep"), Exception("a\nb")],
)
def test_whatever_a_decoder_raises_is_one_sentence(error: Exception) -> None:
    with (
        pytest.raises(FileError, match=r"^a\.png is damaged or cut short: [^\n]+\.$"),
        translate_decoder_errors("a.png"),
    ):
        raise error


def test_a_lack_of_memory_is_not_called_damage() -> None:
    with pytest.raises(MemoryError), translate_decoder_errors("a.png"):
        raise MemoryError


def seeds() -> dict[str, bytes]:
    """Small files of every kind of decoder, with profile, EXIF, palette and key."""
    noise = np.random.default_rng(0).integers(0, 256, (19, 23, 3), np.uint8)
    image = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("RGB", "JPEG", {"exif": exif}), ("CMYK", "JPEG", {}), ("P", "GIF", {"transparency": 3}),
        ("RGB", "WEBP", {"exif": exif}), ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "TIFF", {"compression": "tiff_lzw"}), ("L", "TIFF", {}), ("CMYK", "TIFF", {}),
        ("P", "PNG", {"transparency": 3}), ("RGB", "PNG", {"exif": exif}), ("1", "PNG", {}),
    ]  # fmt: skip
    made = {}
    for mode, kind, options in kinds:
        buffer = io.BytesIO()
        image.convert(mode).save(buffer, kind, **options)
        made[f"{mode} {kind}"] = buffer.getvalue()
    return made


SEEDS = seeds()


def is_refused(path: Path) -> bool:
    """Whether a file is refused, in one sentence; another error is a fault of the reader."""
    try:
        open_document(path)
    except EditorError as error:
        return "\n" not in str(error)
    return False


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_pictures_raise_nothing_but_our_own_errors(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    path = (
        tmp_path
        / f"damaged.{name.split()[1].lower().replace('jpeg', 'jpg').replace('tiff', 'tif')}"
    )
    refused = 0
    for _ in range(60):
        data = bytearray(SEEDS[name])
        for _ in range(chance.choice([1, 2, 8])):
            place = chance.randrange(min(len(data), chance.choice([64, 400, len(data)])))
            data[place] = chance.choice([0, 255, 127, chance.randrange(256)])
        path.write_bytes(bytes(data[: chance.choice([len(data), chance.randrange(len(data))])]))
        refused += is_refused(path)
    assert refused


def test_only_a_band_is_in_memory_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    heights: list[int] = []
    plain = decoding.premultiply

    def count(image: Image.Image) -> Pixels:
        heights.append(image.height)
        return plain(image)

    monkeypatch.setattr(decoding, "premultiply", count)
    decode_layer(saved(Image.new("L", (4, 1000))), "a.png", y=-100)
    assert heights == [100, 256, 256, 256, 132]
