"""What every brush owes, run over the registry: pure, bounded, finite, silent without pressure."""

import math
from typing import Any

import numpy as np
import pytest

from core import catalog, params
from core.catalog import Brush, brushes, params_of
from core.paint.pointer import Sample
from core.params import Range

catalog.load("brushes")
KINDS = list(brushes)


def _ends() -> list[Any]:
    found = []
    for kind in KINDS:
        for field in params.fields(params_of(kind)):
            if isinstance(field.marker, Range):
                for end in (field.marker.low, field.marker.high):
                    chosen = params.from_json(params_of(kind), {field.name: end})
                    found.append(pytest.param(kind, chosen, id=f"{kind.id}-{field.name}-{end:g}"))
    return found


def _switched() -> list[Any]:
    found = []
    for kind in KINDS:
        names = [f.name for f in params.fields(params_of(kind)) if f.type is bool]
        for on in (False, True):
            chosen = params.from_json(params_of(kind), dict.fromkeys(names, on))
            found.append(pytest.param(kind, chosen, id=f"{kind.id}-switches-{on}"))
    return found


def _default(kind: type[Brush]) -> Brush:
    return kind(params_of(kind)())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sample_gives_the_same_stamp(kind: type[Brush]) -> None:
    sample = Sample(31.3, 17.8, 0.6, 0.4)
    first, again, other = (
        brush.stamp(sample) for brush in (_default(kind),) * 2 + (_default(kind),)
    )
    for stamp in (again, other):
        assert np.array_equal(first.alpha, stamp.alpha)
        assert (first.x, first.y, first.flow) == (stamp.x, stamp.y, stamp.flow)


@pytest.mark.parametrize(("kind", "chosen"), _ends())
@pytest.mark.parametrize("pressure", [0.01, 0.5, 1.0])
def test_stamps_are_bounded_at_both_ends_of_every_dial(
    kind: type[Brush], chosen: Any, pressure: float
) -> None:
    brush = kind(chosen)
    stamp = brush.stamp(Sample(100.4, 50.7, pressure))
    assert stamp.alpha.dtype == np.uint8
    assert stamp.alpha.ndim == 2
    assert max(stamp.alpha.shape) <= chosen.size + 2
    assert 0 < stamp.flow <= 1
    assert 0.5 <= brush.spacing(pressure) <= max(0.5, chosen.size)
    assert math.isfinite(brush.spacing(pressure))
    around = stamp.rect | type(stamp.rect)(100, 50, 1, 1)
    assert (stamp.rect.pad(2) & around) == around


@pytest.mark.parametrize(("kind", "chosen"), _ends())
def test_a_pressed_pen_leaves_something_under_it(kind: type[Brush], chosen: Any) -> None:
    stamp = kind(chosen).stamp(Sample(100.5, 50.5, 1.0))
    assert stamp.alpha[50 - stamp.y, 100 - stamp.x] > 0


@pytest.mark.parametrize(("kind", "chosen"), [*_ends(), *_switched()])
@pytest.mark.parametrize("pressure", [0.0, -1.0])
def test_no_pressure_adds_nothing(kind: type[Brush], chosen: Any, pressure: float) -> None:
    stamp = kind(chosen).stamp(Sample(10.0, 10.0, pressure))
    assert not (stamp.alpha * stamp.flow).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_a_whole_pixel_moves_the_stamp_and_nothing_else(kind: type[Brush]) -> None:
    here = _default(kind).stamp(Sample(10.25, 40.75))
    there = _default(kind).stamp(Sample(13.25, 35.75))
    assert (there.x - here.x, there.y - here.y) == (3, -5)
    assert np.array_equal(here.alpha, there.alpha)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_survive_json(kind: type[Brush]) -> None:
    default = params_of(kind)()
    assert params.from_json(params_of(kind), params.to_json(default)) == default


@pytest.mark.parametrize("kind", KINDS)
def test_its_size_is_marked_for_the_outline_and_the_keys(kind: type[Brush]) -> None:
    assert params.field_marked(params_of(kind), params.BrushSize)


def test_there_is_a_round_brush_to_start_with() -> None:
    assert "round" in brushes
