"""The picture of a brush: what was drawn, and nothing outside."""

import numpy as np
import pytest

from core import catalog
from core.catalog import brushes, params_of
from core.paint.brush_sample import draw_sample


@pytest.mark.parametrize("size", [1.0, 14.0, 400.0])
@pytest.mark.parametrize("name", ["round", "pencil"])
def test_every_brush_leaves_a_stroke(name: str, size: float) -> None:
    catalog.load("brushes")
    kind = brushes[name]
    drawn = draw_sample(kind(params_of(kind)(size=size)), 96, 26)
    assert drawn.shape == (26, 96)
    assert drawn.dtype == np.uint8
    columns = np.flatnonzero(drawn.any(axis=0))
    assert columns.min() < 20
    assert columns.max() > 76


def test_flow_makes_it_fainter() -> None:
    catalog.load("brushes")
    kind = brushes["round"]
    full, faint = (draw_sample(kind(params_of(kind)(flow=f)), 96, 26) for f in (100.0, 30.0))
    assert full.max() == 255
    assert faint.max() < 90
