"""Residual compositing."""

import numpy as np

from core.ai.residual import add_residual, edit_amount
from core.task import Recipe

RANDOM = np.random.default_rng(3)
X, Y, V = (RANDOM.uniform(0, 1, (8, 9, 3)).astype(np.float32) for _ in range(3))


def test_an_edit_that_only_went_round_trip_changes_nothing() -> None:
    for amount in (0.0, 0.2, 0.4):
        assert np.array_equal(add_residual(X, V, V, amount), X)


def test_a_full_edit_is_the_plain_result() -> None:
    np.testing.assert_allclose(add_residual(X, Y, V, 1.0), Y, atol=1e-6)


def test_a_partial_edit_adds_the_difference() -> None:
    low, other = X * 0.2, V * 0.2
    np.testing.assert_allclose(
        add_residual(low, other + 0.1, other, 0.3), low + 0.1, rtol=0, atol=1e-6
    )


def test_between_it_moves_steadily_to_the_plain_result() -> None:
    way = [np.abs(add_residual(X, Y, V, amount) - Y).mean() for amount in np.linspace(0.3, 1, 11)]
    assert all(later <= sooner + 1e-7 for sooner, later in zip(way, way[1:], strict=False))
    assert way[0] > 0.1 > way[-1]


def test_depth_counts_as_part_of_the_change() -> None:
    assert edit_amount(Recipe("layered-brush", {"strength": 1.0, "depth": 0.5})) == 0.5
    assert edit_amount(Recipe("sdedit", {"strength": 0.4})) == 0.4
    assert edit_amount(Recipe("text-to-image", {})) == 1.0


def test_parameters_that_are_no_share_count_as_a_whole_edit() -> None:
    for odd in ("much", float("nan"), 7, True):
        assert edit_amount(Recipe("sdedit", {"strength": odd})) == 1.0
    assert edit_amount(Recipe("sdedit", {"strength": -3})) == 0.0
