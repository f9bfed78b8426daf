"""Samples along a path: even spacing, carried over from event to event."""

import math

import pytest

from core.paint.pointer import PointerEvent, PointerKind, StrokePath


def _event(x: float, y: float = 0.0, pressure: float = 1.0) -> PointerEvent:
    return PointerEvent(PointerKind.move, x, y, pressure)


def _even(_: float) -> float:
    return 3.0


def test_samples_are_evenly_spaced_however_the_events_fall() -> None:
    found = []
    path = StrokePath()
    for x in (0.0, 1.0, 1.5, 9.7, 10.0, 31.0):
        found += [sample.x for sample in path.samples(_event(x), _even)]
    assert found == pytest.approx([3.0 * n for n in range(11)])


def test_a_path_round_a_corner_keeps_its_spacing() -> None:
    path = StrokePath()
    list(path.samples(_event(0), _even))
    first = list(path.samples(_event(4, 0), _even))
    second = list(path.samples(_event(4, 4), _even))
    assert [(s.x, s.y) for s in first + second] == [(3, 0), (4, pytest.approx(2))]
    assert second[0].direction == pytest.approx(math.pi / 2)


def test_resting_adds_no_samples() -> None:
    path = StrokePath()
    assert len(list(path.samples(_event(5), _even))) == 1
    assert not list(path.samples(_event(5), _even))


def test_pressure_is_interpolated_and_decides_the_spacing() -> None:
    path = StrokePath()
    list(path.samples(_event(0, pressure=0.0), lambda pressure: 1 + 4 * pressure))
    found = list(path.samples(_event(10, pressure=1.0), lambda pressure: 1 + 4 * pressure))
    assert [s.pressure for s in found] == pytest.approx([s.x / 10 for s in found])
    steps = [b.x - a.x for a, b in zip(found, found[1:], strict=False)]
    assert steps == pytest.approx([1 + 4 * s.pressure for s in found[:-1]])


def test_spacing_never_stands_still() -> None:
    path = StrokePath()
    list(path.samples(_event(0), lambda _: 0.0))
    assert len(list(path.samples(_event(10), lambda _: 0.0))) == 20
