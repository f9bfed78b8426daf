"""The outline of a thing from a coarse map: exact where the picture has an edge, grown a little."""

import cv2
import numpy as np
import pytest

from core.ai.outline import fill_hull, find_outline
from core.paint.tiles import Pixels


def scene(side: int = 300) -> tuple[Pixels, Pixels]:
    """A red disc left and a blue one right on a pale ground; where the red one is."""
    picture = np.full((side, side, 3), (230, 225, 210), np.uint8)
    cv2.circle(picture, (100, 150), 50, (200, 30, 30), -1)
    cv2.circle(picture, (230, 150), 40, (30, 30, 200), -1)
    truth = np.zeros((side, side), np.uint8)
    cv2.circle(truth, (100, 150), 50, 255, -1)
    return picture, truth


def coarse(truth: Pixels, cells: int = 6) -> Pixels:
    """What a model of few cells shows of it: blurred, a little aside, and faint everywhere."""
    aside = np.roll(truth, 12, 1)
    small = cv2.resize(aside, (cells, cells), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(small, truth.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.maximum(blurred, 20).astype(np.uint8)


def agreement(one: Pixels, other: Pixels) -> float:
    return float(((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum())


def test_a_coarse_map_becomes_the_exact_thing() -> None:
    picture, truth = scene()
    found = find_outline(picture, coarse(truth), margin=0)
    assert agreement(found, truth) > 0.95
    assert agreement(np.where(coarse(truth) > 127, 255, 0).astype(np.uint8), truth) < 0.9


def test_the_margin_covers_the_soft_edge_and_nothing_far() -> None:
    picture, truth = scene()
    found = find_outline(picture, coarse(truth))
    assert (found[truth > 0] == 255).all()
    far = cv2.dilate(truth, np.ones((41, 41), np.uint8)) == 0
    assert not found[far].any()


def test_the_same_map_gives_the_same_outline() -> None:
    picture, truth = scene()
    first = find_outline(picture, coarse(truth))
    cv2.setRNGSeed(123)
    assert np.array_equal(find_outline(picture, coarse(truth)), first)


@pytest.mark.parametrize("value", [0, 100])
def test_a_map_that_is_nowhere_bright_finds_nothing(value: int) -> None:
    picture, _ = scene()
    assert not find_outline(picture, np.full((300, 300), value, np.uint8)).any()


def test_a_map_that_is_bright_everywhere_is_everything() -> None:
    picture, _ = scene()
    assert (find_outline(picture, np.full((300, 300), 255, np.uint8)) == 255).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (700, 30)])
def test_any_size_is_kept(height: int, width: int) -> None:
    picture = np.full((height, width, 3), 90, np.uint8)
    brightness = np.full((height, width), 20, np.uint8)
    brightness[: (height + 1) // 2] = 255
    assert find_outline(picture, brightness).shape == (height, width)


def test_the_hull_covers_the_region_and_what_lies_between_its_parts() -> None:
    region = np.zeros((60, 60), np.uint8)
    region[10:50, 10:15] = region[10:15, 10:50] = 255
    hull = fill_hull(region)
    assert (hull[region > 0] == 255).all()
    assert hull[20, 20] == 255
    assert hull[45, 45] == 0
    assert not fill_hull(np.zeros((5, 5), np.uint8)).any()
