"""The pencil leaves whole pixels."""

import numpy as np
import pytest

from core.brushes.pencil import Pencil
from core.paint.pointer import Sample


@pytest.mark.parametrize("size", [1.0, 2.0, 3.0, 8.0, 41.0])
def test_every_pixel_is_full_or_empty(size: float) -> None:
    stamp = Pencil(Pencil.Params(size=size)).stamp(Sample(20.3, 20.9))
    assert set(np.unique(stamp.alpha)) <= {0, 255}
    assert stamp.alpha.shape == (size, size)
    assert np.array_equal(stamp.alpha, stamp.alpha[::-1, ::-1])


def test_a_large_dab_has_the_area_of_its_disc() -> None:
    stamp = Pencil(Pencil.Params(size=41)).stamp(Sample(50.5, 50.5))
    assert (stamp.alpha > 0).sum() == pytest.approx(np.pi * 41 * 41 / 4, rel=0.03)
    assert (Pencil(Pencil.Params(size=2)).stamp(Sample(5, 5)).alpha == 255).all()


def test_one_pixel_is_the_one_under_the_pen() -> None:
    for x, y in ((7.0, 3.0), (7.99, 3.99), (7.5, 3.5)):
        stamp = Pencil(Pencil.Params(size=1)).stamp(Sample(x, y))
        assert stamp.alpha.tolist() == [[255]]
        assert (stamp.x, stamp.y) == (7, 3)


def test_a_line_has_no_holes() -> None:
    brush = Pencil(Pencil.Params(size=1))
    assert brush.spacing(1.0) <= 1
