"""Results by score: sorted, removed when never chosen, and kept once chosen."""

from typing import Any

import numpy as np
import pytest

from core.geometry import Point, Rect
from core.paint.tiles import Tiles
from core.scoring.seed_search import SeedScore
from core.task import Recipe
from editor.ai_session.layer_results import Result
from editor.ai_session.result_cache import MAX_VARIANTS, ResultCache

HERE = Point(0, 0)


def make_result(key: str) -> Result:
    recipe, thumbnail = Recipe("sdedit"), np.zeros((64, 64, 3), np.uint8)
    return Result(key, Rect(0, 0, 8, 8), HERE, recipe, Tiles(), thumbnail)


def add_score(
    results: ResultCache, key: str, score: float, unseeded_key: str = "one", **more: Any
) -> None:
    seed_score = SeedScore(unseeded_key, "agreement", score)
    results.add_score("layer", make_result(key), seed_score, **{"is_found": True, **more})


def variant_keys(results: ResultCache) -> list[str]:
    return [one.key for one in results.variants("layer")]


@pytest.fixture
def results() -> ResultCache:
    """Two results that a person made; the second is shown and scored."""
    made = ResultCache()
    made.keep("layer", make_result("own"))
    made.keep("layer", make_result("shown"))
    add_score(made, "shown", 5, is_found=False)
    return made


def test_better_results_come_last_so_that_their_thumbnails_come_first(results: ResultCache) -> None:
    add_score(results, "good", 9)
    add_score(results, "bad", 1)
    add_score(results, "fair", 7)
    assert variant_keys(results) == ["own", "bad", "shown", "fair", "good"]
    found = {one.key for one in results.variants("layer") if one.is_found}
    assert found == {"bad", "fair", "good"}
    assert results.find("good", HERE) is not None


def test_a_chosen_result_is_no_longer_found_and_keeps_its_score(
    results: ResultCache,
) -> None:
    add_score(results, "good", 9)
    results.add_variant("layer", make_result("good"))
    (last,) = [one for one in results.variants("layer") if one.key == "good"]
    assert not last.is_found
    assert last.seed_score is not None
    assert last.seed_score.score == 9
    add_score(results, "good", 9)
    assert not results.variants("layer")[-1].is_found, "even if it is scored again"


def test_a_score_for_another_recipe_removes_what_nobody_chose(results: ResultCache) -> None:
    add_score(results, "good", 9)
    add_score(results, "chosen", 8)
    results.add_variant("layer", make_result("chosen"))
    add_score(results, "other", 3, unseeded_key="two")
    assert variant_keys(results) == ["own", "shown", "chosen", "other"]
    assert results.find("good", HERE) is not None, "the pixels stay while there is room"


def test_thumbnails_are_bounded(results: ResultCache) -> None:
    for n in range(MAX_VARIANTS + 5):
        add_score(results, str(n), n)
    assert len(variant_keys(results)) == MAX_VARIANTS
