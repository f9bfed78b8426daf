"""Who is asked what a picture shows: those who know the model's world, then those for any."""

from typing import Any, ClassVar

import numpy as np
import pytest

from core import catalog
from core.catalog import describers
from core.describers.dispatch import described, fitting, lacking
from core.errors import ModelError
from core.paint.tiles import Pixels

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Scripted:
    """Says what a test wants it to say."""

    label: ClassVar[str] = "Scripted"
    text: ClassVar[str] = ""
    reason: ClassVar[str] = ""

    @classmethod
    def missing(cls) -> str:
        return cls.reason

    def describe(self, pixels: Pixels) -> str:
        return self.text


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Registers a describer in place of all real ones, for one test."""
    catalog.load("describers")
    monkeypatch.setattr(describers, "_items", {})

    def add(name: str, *worlds: str, text: str = "", reason: str = "") -> None:
        values = {"id": name, "worlds": frozenset(worlds), "text": text, "reason": reason}
        describers.register(type(name, (Scripted,), values))

    return add


def test_who_knows_the_world_is_asked_first_and_who_knows_another_is_not(register: Any) -> None:
    register("any", text="a photo")
    register("of-storybook", "storybook", text="a sun")
    register("of-toys", "toy", text="a colour")
    assert [kind.id for kind in fitting("storybook")] == ["of-storybook", "any"]
    assert [kind.id for kind in fitting("a/checkpoint")] == ["any"]
    assert described(PICTURE, "storybook") == "a sun"
    assert described(PICTURE, "a/checkpoint") == "a photo"


def test_the_next_is_asked_when_one_is_unsure(register: Any) -> None:
    register("any", text="a photo")
    register("of-toys", "toy")
    assert described(PICTURE, "toy") == "a photo"
    assert described(PICTURE, "storybook") == "a photo"


def test_nobody_sure_is_no_words_and_nobody_there_is_told(register: Any) -> None:
    register("of-toys", "toy")
    assert described(PICTURE, "toy") == ""
    register("any", reason="Put it there.")
    assert lacking("toy") == ""
    assert lacking("storybook") == "Put it there."
    with pytest.raises(ModelError, match="Put it there"):
        described(PICTURE, "storybook")


def test_the_real_ones_stand_in_the_catalogue() -> None:
    catalog.load("describers", "models")
    assert {"blip", "storybook"} <= set(describers.ids())
    for kind in describers:
        assert kind.label
        assert kind.__doc__
        assert kind.worlds <= set(catalog.backends.ids())
        assert kind.missing() == "" or kind.missing().endswith(".")
    assert [kind.id for kind in fitting("storybook")] == ["storybook"]
    assert "Put a BLIP folder into" in lacking("toy")
