"""Searching seeds: the shown one first, then eight others, and how their scores compare."""

from dataclasses import replace

import pytest

from core import catalog
from core.scoring.seed_search import MAX_SEEDS, SeedScore, SeedSearch, is_worth_it, standings
from core.task import Recipe

catalog.load("techniques", "verifiers")


def judged(**scores: float) -> dict[str, SeedScore]:
    return {key: SeedScore("one", "agreement", score) for key, score in scores.items()}


def test_the_shown_seed_is_judged_first_and_eight_others_after_it() -> None:
    search, tried = SeedSearch("key"), []
    while (seed := search.next(7)) is not None:
        tried.append(seed)
        search.scores[seed] = 0.0
    assert tried[0] == 7
    assert tried[1:] == list(search.seeds)
    assert len(set(tried)) == MAX_SEEDS + 1 == 9
    assert search.next(8) == 8, "another one on the canvas is judged, and no more are sought"
    search.scores[8] = 0.0
    assert search.next(8) is None


def test_the_seeds_hang_on_the_question_alone() -> None:
    assert SeedSearch("a").seeds == SeedSearch("a").seeds
    assert not set(SeedSearch("a").seeds) & set(SeedSearch("b").seeds)
    assert all(0 <= seed < 2**31 for seed in SeedSearch("a").seeds)


def test_a_found_seed_on_the_canvas_is_not_tried_again() -> None:
    search = SeedSearch("key")
    first, second = search.seeds[:2]
    search.scores[first] = 0.0
    assert search.next(first) == second


def test_one_that_is_over_rests() -> None:
    search = SeedSearch("key")
    search.is_over = True
    assert search.next(7) is None


def test_progress_counts_the_others() -> None:
    search = SeedSearch("key")
    assert search.progress(search.seeds[2]) == "Looking for better seeds 3 of 8"
    assert "of" not in search.progress(7)


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (Recipe("sdedit", {"strength": 0.5}), True),
        (Recipe("sdedit", {"strength": 0.0}), False),
        (Recipe("layered-brush"), True),
        (Recipe("prompt-to-prompt"), False),
        (Recipe("word-map"), False),
        (Recipe("of-another-version"), False),
    ],
    ids=lambda value: value.technique if isinstance(value, Recipe) else "",
)
def test_what_is_worth_a_search(recipe: Recipe, expected: bool) -> None:
    assert is_worth_it(recipe) is expected


def test_the_best_one_is_told_and_the_others_beside_the_shown_one() -> None:
    stand = standings(judged(shown=5, better=17, worse=2), "shown")
    assert stand["better"] == ("fits the prompt 12 % better", True)
    assert stand["worse"] == ("fits the prompt 3 % worse", False)
    assert stand["shown"] == ("", False)
    assert standings(judged(shown=5, worse=2), "shown")["shown"].is_best


def test_only_scores_of_one_key_are_compared() -> None:
    found = judged(shown=5, better=17)
    found["older"] = replace(found["better"], unseeded_key="two")
    assert set(standings(found, "shown")) == {"shown", "better"}
    assert set(standings(found, "older")) == set(), "there is nothing to compare it with"
    assert standings(found, "not judged") == {}


def test_a_verifier_that_is_gone_says_nothing() -> None:
    found = {key: replace(one, verifier="gone") for key, one in judged(a=1, b=2).items()}
    assert standings(found, "a") == {}
