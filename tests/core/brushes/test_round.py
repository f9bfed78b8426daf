"""The round brush against the area and the edge of a disc."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from core.brushes.round import Round
from core.paint.pointer import Sample


@pytest.mark.parametrize("size", [1.0, 3.0, 10.5, 64.0, 333.0])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.77])
def test_a_hard_dab_covers_the_area_of_its_disc(size: float, shift: float) -> None:
    stamp = Round(Round.Params(size=size, hardness=100)).stamp(Sample(50 + shift, 50 - shift))
    area = stamp.alpha.sum() / 255
    # The edge is drawn by distance: below a few pixels that is a little larger than the disc.
    assert area == pytest.approx(math.pi * size * size / 4, rel=0.02, abs=0.8)


def test_the_centre_of_mass_is_at_the_sample() -> None:
    for x, y in ((20.0, 20.0), (20.25, 19.6), (20.9, 20.1)):
        stamp = Round(Round.Params(size=15, hardness=30)).stamp(Sample(x, y))
        rows, columns = np.indices(stamp.alpha.shape) + 0.5
        weight = stamp.alpha / stamp.alpha.sum()
        assert (columns * weight).sum() + stamp.x == pytest.approx(x, abs=0.02)
        assert (rows * weight).sum() + stamp.y == pytest.approx(y, abs=0.02)


def test_a_hard_dab_is_the_ramp_of_one_pixel_and_nothing_is_cut_off() -> None:
    for shift in np.linspace(0, 1, 11):
        x, y = 50 + shift, 50 - shift
        stamp = Round(Round.Params(size=30, hardness=100)).stamp(Sample(x, y))
        padded = np.pad(stamp.alpha, 4)
        distance = _distances(padded.shape, x - stamp.x + 4, y - stamp.y + 4)
        assert np.abs(255 * np.clip(15.5 - distance, 0, 1) - padded).max() <= 1


def test_a_soft_dab_is_full_inside_its_hardness_and_falls_smoothly() -> None:
    stamp = Round(Round.Params(size=200, hardness=50)).stamp(Sample(150.0, 150.0))
    distance = _distances(stamp.alpha.shape, 150 - stamp.x, 150 - stamp.y)
    t = np.clip((100.5 - distance) / 50, 0, 1)
    assert np.abs(255 * t * t * (3 - 2 * t) - stamp.alpha).max() <= 1.5
    assert (stamp.alpha[distance < 50] == 255).all()


def _distances(shape: tuple[int, ...], x: float, y: float) -> npt.NDArray[np.float64]:
    rows, columns = np.indices(shape[:2]) + 0.5
    return np.asarray(np.hypot(columns - x, rows - y))


def test_pressure_changes_size_flow_and_spacing_as_chosen() -> None:
    thin = Round(Round.Params(size=100, pressure_size=True))
    assert thin.stamp(Sample(0, 0, 0.5)).alpha.shape[0] == pytest.approx(52, abs=2)
    assert thin.spacing(0.5) == pytest.approx(5)
    faint = Round(Round.Params(size=100, flow=80, pressure_size=False, pressure_flow=True))
    assert faint.stamp(Sample(0, 0, 0.5)).flow == pytest.approx(0.4)
    assert faint.stamp(Sample(0, 0, 0.5)).alpha.shape[0] == pytest.approx(102, abs=2)
    assert faint.spacing(0.5) == pytest.approx(10)
