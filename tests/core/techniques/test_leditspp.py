"""LEDITS++: what concepts are, where they act, and the edits that must change nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionLayer
from core.editing.prompt_edit import PromptEdit
from core.techniques.leditspp import Concept, ConceptMaps, LeditsPlusPlus, above, concepts, smooth
from tests.core.inverting import kept, network, result, task


def given(**changes: Any) -> Any:
    return task(LeditsPlusPlus, **{"prompt": "cat, -red apple", "strength": 1.0, **changes})


def test_concepts_stand_between_commas_and_a_minus_removes() -> None:
    assert concepts(" cat,- red apple, ,dog") == [
        Concept("cat", 1),
        Concept("red apple", -1),
        Concept("dog", 1),
    ]
    assert concepts(" ") == []


@pytest.mark.parametrize(
    "changes", [{"prompt": ""}, {"scale": 0.0}, {"threshold": 1.0}, {"warmup": 1.0}]
)
@pytest.mark.parametrize("spoken", ["", "a dog"])
def test_what_does_nothing_gives_the_picture(spoken: str, changes: dict[str, Any]) -> None:
    model = network()
    edit = given(source_prompt=spoken, **changes)
    assert np.allclose(result(LeditsPlusPlus, model, edit), kept(model, edit), atol=1e-4)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    edit, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(LeditsPlusPlus, model, edit), kept(model, edit))
    assert model.calls == calls


def test_a_concept_and_its_removal_lead_apart() -> None:
    model = network()
    picture = kept(model, given())
    added, removed = (
        result(LeditsPlusPlus, model, given(prompt=prompt, threshold=0.0, scale=1.0)) - picture
        for prompt in ("cat", "-cat")
    )
    assert np.abs(added).max() > 1e-3
    assert float((added * removed).sum()) < 0


def test_one_step_adds_scaled_differences_everywhere_at_threshold_nought() -> None:
    model = network()
    edit = given(prompt="cat", source_prompt="a dog", threshold=0.0, steps=2, strength=0.5)
    level = model.levels(2)[-2]
    x0 = model.encode(edit.image)
    z = level.mix(x0, edit.noise(x0, "map", 0))
    cat, none = (model.denoiser(words)(z, level).x0 for words in ("cat", ""))
    wanted = model.decode(x0 + 5.0 * (cat - none))
    assert np.allclose(result(LeditsPlusPlus, model, edit), wanted, atol=1e-3)


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_high_threshold_leaves_most_cells_alone_in_a_step(
    is_seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By where the words look and where they change most, or by the latter alone."""
    model = network()
    edit = given(prompt="cat", threshold=0.75, steps=2, strength=0.5)
    if not is_seen:
        monkeypatch.setattr(ConceptMaps, "where", lambda looks, *_: looks.everywhere)
    found, bound = (
        model.encode(image) for image in (result(LeditsPlusPlus, model, edit), kept(model, edit))
    )
    changed = int(((found - bound).abs().amax(1) > 0.05).sum())
    assert 0 < changed < 16 if is_seen else 12 < changed <= 16


def test_each_concept_is_where_its_own_words_look() -> None:
    model = network()
    edit = PromptEdit(given(), model)
    looks = ConceptMaps(edit, concepts("cat, -red apple"))
    maps = torch.zeros(5, 2, 64, 16)
    maps[3, :, :8, looks.tokens[0]] = 1.0
    maps[4, :, 56:, looks.tokens[1]] = 1.0
    looks.maps(AttentionLayer(0, "x", True), maps)
    first, second = looks.where(0, 0.8), looks.where(1, 0.8)
    assert first[0].all()
    assert not first[2:].any()
    assert second[-1].all()
    assert not second[:-2].any()
    looks.clear()
    assert looks.where(0, 0.8).all()


def test_quantiles_and_smoothing() -> None:
    picture = torch.arange(100.0).view(10, 10)
    assert int(above(picture, 0.9).sum()) == 10
    assert int(above(picture, 0.0).sum()) == 100
    assert not above(picture, 1.0).any()
    assert torch.allclose(smooth(torch.ones(6, 5)), torch.ones(6, 5), atol=1e-3)


def test_smoothing_mirrors_the_edges() -> None:
    """A row of values in one direction, by hand: the neighbour of an edge counts twice."""
    row = torch.tensor([1.0, 2.0, 4.0, 8.0])
    side, middle = 0.2119, 0.5761
    wanted = torch.tensor(
        [
            middle * 1 + 2 * side * 2,
            middle * 2 + side * (1 + 4),
            middle * 4 + side * (2 + 8),
            middle * 8 + 2 * side * 4,
        ]
    )
    found = smooth(row.expand(3, 4))
    assert torch.allclose(found, wanted.expand(3, 4), atol=1e-2)
    assert torch.allclose(found, (2 * side + middle) * wanted.expand(3, 4), atol=1e-5)
