"""Words that a Storybook model was not taught are named; what its prompts are made of is not."""

import json
from pathlib import Path

import pytest

from core.storybook.layout import DESCRIPTION, FOLDER
from core.storybook.sample import World, random_scene
from core.storybook.vocabulary import taught_words, unknown_words


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a castle on the beach", ("castle",)),
        ("a portrait of a cat, flat", ("portrait",)),
        ("two castles and a Castle", ("two", "castles", "Castle")),
        ("a red car and a puppy in the snow", ()),
        ("Trees, mushrooms and a sailing boat!", ()),
        ("a green tree at night on the left", ()),
        ("", ()),
    ],
)
def test_words_that_the_shipped_model_does_not_know(text: str, unknown: tuple[str, ...]) -> None:
    assert unknown_words(text) == unknown


def test_every_prompt_that_it_was_trained_with_is_known() -> None:
    description = json.loads((FOLDER / DESCRIPTION).read_text("utf-8"))
    world = World(
        tuple(description["objects"]),
        tuple(description["backgrounds"]),
        tuple(description["styles"]),
    )
    for seed in range(200):
        assert unknown_words(random_scene(seed, world).prompt()) == ()


def test_a_model_that_says_nothing_is_not_doubted(tmp_path: Path) -> None:
    assert taught_words(tmp_path) == frozenset()
    assert unknown_words("a castle", tmp_path) == ()
    (tmp_path / DESCRIPTION).write_text("[]")
    assert unknown_words("a castle", tmp_path / "gone") == ()
