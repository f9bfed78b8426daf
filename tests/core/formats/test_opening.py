"""The Save dialog's filter decides the format, whatever the name ends with."""

from pathlib import Path

import pytest

from core.formats.opening import BY_NAME, NATIVE, path_in_format, save_filter


def filter_of(label: str) -> str:
    return next(line for line in save_filter().split(";;") if line.startswith(label))


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("x", "JPEG", "x.jpg"),
        ("x.png", "JPEG", "x.jpg"),
        ("x.jpeg", "JPEG", "x.jpeg"),
        ("X.JPG", "JPEG", "X.JPG"),
        ("x.ora", "PNG", "x.png"),
        ("x.jpg", "OpenRaster", "x.ora"),
        ("a.b.png", "WebP", "a.b.webp"),
        ("beach.v2", "JPEG", "beach.v2.jpg"),
        ("x.gif", "PNG", "x.gif.png"),
        (".hidden", "PNG", ".hidden.png"),
        ("1.5", "TIFF", "1.5.tif"),
    ],
)
def test_the_filter_decides(name: str, label: str, expected: str) -> None:
    assert path_in_format(Path("/a") / name, filter_of(label), ".png").name == expected


@pytest.mark.parametrize("chosen", ["", "All files (*)", BY_NAME])
@pytest.mark.parametrize(
    ("name", "expected"), [("x", "x.png"), ("x.jpg", "x.jpg"), ("x.gif", "x.gif")]
)
def test_without_a_format_the_name_decides(chosen: str, name: str, expected: str) -> None:
    line = filter_of(chosen) if chosen == BY_NAME else chosen
    assert path_in_format(Path(name), line, ".png").name == expected


def test_the_dialog_begins_with_the_name_and_has_each_format() -> None:
    lines = save_filter().split(";;")
    assert lines[0].startswith(BY_NAME)
    assert f"*.{NATIVE}" in lines[1]
    assert len(lines) == len(set(lines)) > 5
