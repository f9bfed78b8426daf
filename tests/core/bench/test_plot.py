"""Labels of the plot do not overlap."""

from core.bench.plot import _move_free, _overlap


def test_a_label_moves_below_those_in_its_way() -> None:
    first, second = (0.0, 0.0, 40.0, 10.0), (20.0, 12.0, 60.0, 22.0)
    moved = _move_free((10.0, 4.0, 50.0, 14.0), [first, second])
    assert moved == (10.0, 22.0, 50.0, 32.0)
    assert not any(_overlap(moved, other) for other in (first, second))


def test_a_label_in_nobodys_way_stays() -> None:
    assert _move_free((0.0, 20.0, 9.0, 30.0), [(0.0, 0.0, 40.0, 10.0)]) == (0.0, 20.0, 9.0, 30.0)
