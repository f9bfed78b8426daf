"""Finished layers get a score that compares over seeds, and none where the verifier cannot."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from core import catalog
from core.ai.layer import LayerTask
from core.errors import ModelError
from core.geometry import Rect
from core.models.opening import open_model
from core.models.toy import colour_of
from core.scoring.score import describe_gain, missing_for_verifier, score_layer
from core.task import Recipe

catalog.load("techniques")
SIDE = 64


def make_task(prompt: str = "red", seed: int = 1, **changes: Any) -> LayerTask:
    """All of a grey picture is to be edited."""
    crop = np.full((SIDE, SIDE, 3), 128, np.uint8)
    whole = Rect(0, 0, SIDE, SIDE)
    recipe = Recipe("sdedit", {"prompt": prompt, "steps": 2, **changes}, "toy", seed=seed)
    painted = np.full((SIDE, SIDE), 255, np.uint8)
    return LayerTask("layer", recipe, whole, whole, whole.size, crop, painted, "key")


def painted(share: float, alpha: int = 255) -> Any:
    """A layer of some share of the colour of "red" with an alpha."""
    byte = np.rint((share * np.array(colour_of("red")) + 1) * 127.5)
    colour = np.rint(byte * alpha / 255)
    return np.tile(np.array([*colour, alpha], np.uint8), (SIDE, SIDE, 1))


def test_the_nearer_to_the_prompt_the_better() -> None:
    model = open_model("toy")
    scores = [
        score_layer("agreement", make_task(), painted(share), model) or 0 for share in (0, 0.5, 1)
    ]
    assert scores[0] < scores[1] < scores[2]


def test_the_seed_of_the_recipe_changes_nothing() -> None:
    model = open_model("toy")
    one, other = (score_layer("agreement", make_task(seed=n), painted(0.5), model) for n in (1, 99))
    assert one == other
    assert one is not None


def test_what_the_layer_hides_does_not_count() -> None:
    model = open_model("toy")
    nothing = score_layer("agreement", make_task(), painted(1, alpha=0), model)
    below = np.full((SIDE, SIDE, 4), (128, 128, 128, 255), np.uint8)
    assert nothing == score_layer("agreement", make_task(), below, model)
    half = score_layer("agreement", make_task(), painted(1, alpha=128), model)
    whole = score_layer("agreement", make_task(), painted(1), model)
    assert nothing is not None
    assert half is not None
    assert whole is not None
    assert nothing < half < whole


def test_likeness_asks_for_no_words() -> None:
    model = open_model("toy")
    untouched = score_layer("likeness", make_task(""), painted(0, alpha=0), model)
    assert untouched == pytest.approx(0, abs=1e-6)
    changed = score_layer("likeness", make_task(""), painted(1), model)
    assert changed is not None
    assert changed < -0.01


def test_no_words_no_score_and_an_unknown_verifier_none_either() -> None:
    model = open_model("toy")
    assert score_layer("agreement", make_task(" "), painted(1), model) is None
    wordless = replace(make_task(), recipe=Recipe("sdedit", {"steps": 2}, "toy"))
    assert score_layer("agreement", wordless, painted(1), model) is None
    assert score_layer("of-another-version", make_task(), painted(1), model) is None


def test_a_model_that_lacks_something_or_says_nonsense_gives_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Odd:
        id, label, claim, needs_prompt = "odd", "Odd", "is odd", False
        needs: ClassVar[frozenset[str]] = frozenset({"attention"})
        score: ClassVar[Any] = 3.0

        def judge(self, case: Any) -> Any:
            def scores(x0: Any) -> Any:
                if isinstance(self.score, Exception):
                    raise self.score
                return x0.new_full((1,), self.score)

            return scores

    monkeypatch.setattr(catalog.verifiers, "_items", {"odd": Odd})
    model = open_model("toy")
    assert score_layer("odd", make_task(), painted(1), model) is None
    monkeypatch.setattr(Odd, "needs", frozenset())
    assert score_layer("odd", make_task(), painted(1), model) == 3
    for nonsense in (float("nan"), ModelError("not numbers")):
        monkeypatch.setattr(Odd, "score", nonsense)
        assert score_layer("odd", make_task(), painted(1), model) is None


def test_words_for_two_scores() -> None:
    assert describe_gain("agreement", 15.2, 3) == "fits the prompt 12 % better"
    assert describe_gain("agreement", 3, 3.4) == "fits the prompt 0.4 % worse"
    assert describe_gain("agreement", 150, 3) == "fits the prompt 147 % better"
    assert describe_gain("agreement", 3, 3.01) == "fits the prompt just as well"
    assert describe_gain("likeness", -0.2, -0.4) == "keeps to the picture 50 % better"


def test_what_is_missing_is_said() -> None:
    agreement, likeness = (catalog.verifiers[name] for name in ("agreement", "likeness"))
    assert "Write a prompt" in missing_for_verifier(agreement, make_task("").recipe)
    assert not missing_for_verifier(agreement, make_task().recipe)
    assert not missing_for_verifier(likeness, make_task("").recipe)
