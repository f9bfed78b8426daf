"""Pictures named by a recipe: laid over the canvas, cut with the crop, clear when gone."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.ai import layer as ai
from core.ai.crop import Geometry, to_model
from core.ai.input_pictures import load_input_pictures
from core.ai.render_layer import render_layer
from core.diffusion.model import Model
from core.errors import FileError
from core.geometry import Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer
from core.paint.tiles import Pixels
from core.task import Recipe
from tests.core.ai.conftest import document, picture, region, run, stale

GEOMETRY = Geometry(128, 16)
CANVAS, RECT = Size(320, 256), Rect(96, 64, 128, 128)


def saved(path: Path, pixels: Pixels, **options: Any) -> str:
    Image.fromarray(pixels).save(path, **options)
    return str(path)


def recipe(path: str) -> Recipe:
    return Recipe("morph", {"prompt": "red", "picture": path, "steps": 4}, "toy", seed=1)


def laid(path: str, rect: Rect = RECT) -> Any:
    """What the model gets of a file, in bytes."""
    return load_input_pictures(recipe(path), CANVAS, rect, GEOMETRY)["picture"] * 255


def halves(width: int, height: int) -> Pixels:
    """Black on the left, white on the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 255
    return pixels


def test_a_copy_of_the_canvas_is_seen_exactly_as_the_canvas(tmp_path: Path) -> None:
    pixels = picture(CANVAS)[..., :3]
    path = saved(tmp_path / "copy.png", pixels)
    for rect in (RECT, Rect(0, 0, 320, 256), Rect(7, 9, 33, 200)):
        wanted, _ = to_model(pixels[rect.slices], np.zeros(rect.size[::-1], np.uint8), GEOMETRY)
        assert np.array_equal(laid(path, rect=rect), wanted * 255)


@pytest.mark.parametrize("size", [(640, 512), (160, 128), (1000, 512), (320, 900)])
def test_it_covers_the_canvas_and_is_centred(size: tuple[int, int], tmp_path: Path) -> None:
    path = saved(tmp_path / "halves.png", halves(*size))
    middle = laid(path)
    assert middle.shape == (128, 128, 3)
    assert middle[:, :60].max() < 8
    assert middle[:, 68:].min() > 247
    assert laid(path, rect=Rect(0, 0, 128, 128)).max() < 8
    assert laid(path, rect=Rect(192, 128, 128, 128)).min() > 247


def test_it_is_turned_as_the_camera_says(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 3
    path = saved(tmp_path / "turned.jpg", halves(320, 256), exif=turned, quality=95)
    assert laid(path)[:, :56].min() > 240


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    path = saved(tmp_path / "clear.png", np.zeros((256, 320, 4), np.uint8))
    assert laid(path).min() == 255


def test_a_task_holds_it_beside_the_crop(tmp_path: Path) -> None:
    made, layer = edit(saved(tmp_path / "halves.png", halves(320, 256)))
    task = ai.make_task(ai.make_layer_task(made, layer, GEOMETRY), GEOMETRY, 8)
    assert task.pictures["picture"].shape == task.image.shape
    assert ai.make_task(ai.make_layer_task(*edit(""), GEOMETRY), GEOMETRY, 8).pictures == {}


def edit(path: str) -> tuple[Document, AiLayer]:
    """A canvas with an AI layer that morphs to a file."""
    made = document()
    layer = AiLayer("Edit", recipe=recipe(path), region=region(Rect(120, 90, 60, 60)))
    made.insert("AI", layer)
    return made, layer


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.png", None, "does not exist"),
        ("text.png", b"no picture", "not a picture that Sfumato can read"),
        ("empty.png", b"", "is empty"),
        ("x" * 300 + ".png", None, "cannot be read"),
        ("odd\0.png", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    name: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=rf"^Other picture: .*{name[:8]}.*{sentence}") as caught:
        laid(str(tmp_path / name))
    assert str(caught.value).count("\n") == 0


def test_a_layer_whose_picture_is_gone_keeps_its_pixels(model: Model, tmp_path: Path) -> None:
    path = Path(saved(tmp_path / "halves.png", halves(320, 256)))
    made, layer = edit(str(path))
    run(made, layer, model)
    shown = flatten(made.root, made.bounds)
    assert list(stale(made)) == []
    path.unlink()
    assert list(stale(made)) == []
    now = made.find(layer.id)
    assert isinstance(now, AiLayer)
    with pytest.raises(FileError, match=r"halves\.png does not exist"):
        next(render_layer(ai.make_layer_task(made, now, GEOMETRY), model))
    assert np.array_equal(flatten(made.root, made.bounds), shown)


def test_a_picture_that_was_painted_over_is_read_again(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "halves.png"
    made, layer = edit(saved(path, halves(320, 256)))
    before = run(made, layer, model).tiles.read(made.bounds)
    saved(path, halves(320, 256)[:, ::-1])
    os.utime(path, ns=(0, 0))
    assert [layer.name for layer in stale(made)] == ["Edit"]
    assert not np.array_equal(run(made, layer, model).tiles.read(made.bounds), before)
    assert list(stale(made)) == []


def test_a_recipe_of_an_unknown_technique_names_no_file() -> None:
    odd = replace(recipe("gone.png"), technique="unknown")
    assert load_input_pictures(odd, CANVAS, RECT, GEOMETRY) == {}
