"""Context rectangles, and the way to the model's size and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ai import crop
from core.ai.crop import Geometry
from core.geometry import Rect, Size

SMALL = Geometry(native=128, multiple=16)
LARGE = Geometry(native=512, multiple=8)
CANVAS = Rect(0, 0, 2000, 1500)

sides = st.integers(1, 3000)


@st.composite
def masks(draw: st.DrawFn) -> tuple[Rect, Rect]:
    canvas = Rect(0, 0, draw(sides), draw(sides))
    x, y = draw(st.integers(0, canvas.width - 1)), draw(st.integers(0, canvas.height - 1))
    width, height = draw(st.integers(1, canvas.width - x)), draw(st.integers(1, canvas.height - y))
    return Rect(x, y, width, height), canvas


@given(masks(), st.sampled_from([SMALL, LARGE]))
@settings(deadline=None)
def test_context_lies_on_the_canvas_and_keeps_its_margin(
    case: tuple[Rect, Rect], geometry: Geometry
) -> None:
    mask, canvas = case
    rect = crop.context(mask, canvas, geometry)
    margin = max(32, round(0.12 * crop.diagonal(mask)))
    assert (canvas & rect) == rect
    wanted = mask.pad(margin) & canvas
    assert (rect & wanted) == wanted
    for got, whole in ((rect.width, canvas.width), (rect.height, canvas.height)):
        assert got >= min(geometry.native, whole)


@pytest.mark.parametrize("x", range(700, 717))
def test_a_small_mask_gets_exactly_the_native_square_on_the_grid(x: int) -> None:
    rect = crop.context(Rect(x, x + 100, 40, 30), CANVAS, LARGE)
    assert rect.size == Size(512, 512)
    assert (rect.x % 8, rect.y % 8) == (0, 0)


@pytest.mark.parametrize("corner", [(0, 0), (1990, 0), (0, 1490), (1990, 1490)])
def test_at_a_border_the_crop_moves_inward(corner: tuple[int, int]) -> None:
    rect = crop.context(Rect(*corner, 10, 10), CANVAS, LARGE)
    assert rect.size == Size(512, 512)
    assert (CANVAS & rect) == rect


def test_a_long_mask_is_squared_up() -> None:
    rect = crop.context(Rect(400, 600, 900, 50), CANVAS, LARGE)
    assert rect.width == rect.height >= 900 + 2 * 108


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (257, 131), (4000, 3000), (128, 128), (17, 17)])
@pytest.mark.parametrize("geometry", [SMALL, LARGE])
def test_every_crop_fits_the_model_and_comes_back_its_size(
    size: tuple[int, int], geometry: Geometry
) -> None:
    width, height = size
    pixels = np.full((height, width, 3), 77, np.uint8)
    image, mask = crop.to_model(pixels, np.full((height, width), 255, np.uint8), geometry)
    assert image.shape[:2] == mask.shape
    assert all(side % geometry.multiple == 0 for side in mask.shape)
    assert 0.5 <= mask.size / geometry.native**2 <= 1.6
    np.testing.assert_allclose(image, 77 / 255, atol=1e-5)
    back = crop.from_model(image, Size(width, height), geometry)
    assert back.shape == (height, width, 3)
    np.testing.assert_allclose(back, 77 / 255, atol=1e-4)


def test_a_native_crop_is_not_resampled() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    painted = np.random.default_rng(1).integers(0, 256, (128, 128), np.uint8)
    image, mask = crop.to_model(pixels, painted, SMALL)
    assert np.array_equal(np.rint(image * 255).astype(np.uint8), pixels)
    assert np.array_equal(np.rint(mask * 255).astype(np.uint8), painted)
    assert np.array_equal(crop.from_model(image, Size(128, 128), SMALL), image)


def test_scaling_keeps_places() -> None:
    """A white square in a large picture is found at the same place after both ways."""
    pixels = np.zeros((600, 900, 3), np.uint8)
    pixels[300:400, 600:800] = 255
    image, _ = crop.to_model(pixels, pixels[..., 0], SMALL)
    back = crop.from_model(image, Size(900, 600), SMALL)
    rows, columns = np.nonzero(back[..., 0] > 0.5)
    found = (rows.min(), rows.max(), columns.min(), columns.max())
    np.testing.assert_allclose(found, (300, 399, 600, 799), atol=4)


def test_a_hair_in_the_mask_survives_scaling_down() -> None:
    painted = np.zeros((2048, 2048), np.uint8)
    painted[:, 1000] = 255
    _, mask = crop.to_model(np.zeros((2048, 2048, 3), np.uint8), painted, SMALL)
    assert (mask.max(axis=1) > 0.9).all()


def test_slim_crops_are_mirrored_not_stretched() -> None:
    ramp = np.arange(300, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(3, 2)
    how = crop.fit(Size(2, 300), SMALL)
    assert how.padded == Size(100, 300)
    image, mask = crop.to_model(ramp, np.full((300, 2), 255, np.uint8), SMALL)
    assert np.abs(np.diff(image, axis=1)).max() < 1e-6
    assert mask[:, 8:].max() < 0.01


def test_the_origin_counts_latent_cells_at_the_models_scale() -> None:
    native = Rect(256, 384, 128, 128)
    assert crop.origin(native, SMALL, 8) == (32, 48)
    assert crop.origin(Rect(256, 512, 256, 256), SMALL, 8) == (16, 32)
