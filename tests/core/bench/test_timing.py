"""Figures against numbers computed without a program."""

from core.bench.timing import figure, milliseconds


def test_figures_of_one_to_hundred_and_one() -> None:
    assert figure(list(range(1, 102))) == {"median": 51.0, "p95": 96.0, "least": 1.0, "n": 101}


def test_one_outlier_moves_the_p95_and_not_the_median() -> None:
    found = milliseconds([0.001] * 9 + [1.0])
    assert found["median"] == 1.0
    assert found["p95"] > 400
    assert found["n"] == 10
