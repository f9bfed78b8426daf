"""A core is left to the painter, and what the person has set is kept."""

import pytest

from core.engine.device import THREAD_VARIABLES, limit_threads, thread_count


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 2), (4, 3), (16, 15)])
def test_threads_for_cores(cores: int, threads: int) -> None:
    assert thread_count(cores) == threads


def test_what_the_person_has_set_stays() -> None:
    environment = {"OMP_NUM_THREADS": "7"}
    limit_threads(environment)
    assert environment["OMP_NUM_THREADS"] == "7"
    assert set(environment) == {*THREAD_VARIABLES, "OMP_WAIT_POLICY"}


def test_a_number_that_was_chosen_replaces_what_the_environment_has() -> None:
    environment = {"OMP_NUM_THREADS": "7"}
    limit_threads(environment, 3)
    assert {environment[name] for name in THREAD_VARIABLES} == {"3"}
