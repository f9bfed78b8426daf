"""What every verb owes, run over the registry."""

from typing import Any

import pytest

from core import catalog
from core.ai.guide import read_guide

catalog.load("verbs", "techniques")
VERBS = list(catalog.verbs)
every = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.id)


@every
def test_it_says_what_it_does_in_one_word_and_one_sentence(verb: Any) -> None:
    assert verb.label.istitle()
    assert " " not in verb.label
    assert (verb.__doc__ or "").strip().split("\n")[0].endswith(".")


@every
def test_its_usual_technique_runs_on_any_model(verb: Any) -> None:
    assert not catalog.techniques[verb.technique].needs


@every
def test_it_asks_for_words_or_for_a_place(verb: Any) -> None:
    assert verb.source_hint or verb.prompt_hint
    assert verb.takes_whole or verb.source_hint or verb.technique in catalog.techniques


@every
@pytest.mark.parametrize(
    ("source", "prompt"), [("", ""), ("a tree", ""), ("", "a tree"), ("a red car", "a blue car")]
)
def test_its_kind_is_measured_or_empty(verb: Any, source: str, prompt: str) -> None:
    kind = verb.kind_of(source, prompt)
    assert not kind or kind in read_guide()["guide"]


def test_no_two_stand_at_one_place() -> None:
    places = [verb.position for verb in VERBS]
    assert len(set(places)) == len(places)
