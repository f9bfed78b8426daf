"""A hole is filled from around it: edges and patterns go on, the rest is the same to the bit."""

import numpy as np
import pytest

from core.editing.exemplar_fill import Bools, Floats, fill_hole


def horizon(side: int = 96) -> Floats:
    """Pale above, dark below a straight line."""
    picture = np.full((side, side, 3), 0.9, np.float32)
    picture[side // 2 :] = (0.2, 0.3, 0.1)
    return picture


def square(side: int = 96, low: int = 32, high: int = 64) -> Bools:
    hole = np.zeros((side, side), np.bool_)
    hole[low:high, low:high] = True
    return hole


def test_a_line_runs_on_through_the_hole() -> None:
    truth, hole = horizon(), square()
    picture = truth.copy()
    picture[hole] = (1.0, 0.0, 1.0)
    filled = fill_hole(picture, hole)
    assert np.abs(filled - truth)[hole].mean() < 0.02
    assert np.array_equal(filled[~hole], picture[~hole])


def test_stripes_go_on() -> None:
    truth = np.zeros((96, 96, 3), np.float32)
    truth[:, (np.arange(96) // 4) % 2 == 0] = 1
    hole = square()
    picture = np.where(hole[..., None], np.float32(0.5), truth)
    assert np.abs(fill_hole(picture, hole) - truth)[hole].mean() < 0.05


def test_a_large_picture_is_filled_at_a_smaller_size() -> None:
    truth, hole = horizon(400), square(400, 130, 250)
    picture = np.where(hole[..., None], np.float32(0.5), truth)
    filled = fill_hole(picture, hole)
    assert np.abs(filled - truth)[hole].mean() < 0.05
    assert np.array_equal(filled[~hole], picture[~hole])


@pytest.mark.parametrize("hole", [np.zeros((20, 20), np.bool_), np.ones((20, 20), np.bool_)])
def test_no_hole_and_nothing_but_hole_stay(hole: Bools) -> None:
    picture = np.random.default_rng(0).random((20, 20, 3), np.float32)
    assert fill_hole(picture, hole) is picture


@pytest.mark.parametrize(("height", "width"), [(5, 5), (1, 40), (8, 300)])
def test_where_no_whole_patch_lies_outside_it_is_filled_smoothly(height: int, width: int) -> None:
    picture = np.full((height, width, 3), 0.25, np.float32)
    hole = np.zeros((height, width), np.bool_)
    hole[height // 2, 1::3] = True
    picture[hole] = 1
    filled = fill_hole(picture, hole)
    assert filled.shape == picture.shape
    assert np.abs(filled - 0.25).max() < 0.02
