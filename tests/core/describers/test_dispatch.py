"""Which describers are used: those made for the model's world, then those for any."""

from typing import Any, ClassVar

import numpy as np
import pytest

from core import catalog
from core.catalog import describers
from core.describers.dispatch import describe_picture, missing_for_describer, usable_describers
from core.errors import ModelError
from core.paint.tiles import Pixels

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Scripted:
    """Gives the text that a test sets."""

    label: ClassVar[str] = "Scripted"
    text: ClassVar[str] = ""
    reason: ClassVar[str] = ""

    @classmethod
    def why_unavailable(cls) -> str:
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
    assert [kind.id for kind in usable_describers("storybook")] == ["of-storybook", "any"]
    assert [kind.id for kind in usable_describers("a/checkpoint")] == ["any"]
    assert describe_picture(PICTURE, "storybook") == "a sun"
    assert describe_picture(PICTURE, "a/checkpoint") == "a photo"


def test_the_next_is_asked_when_one_is_unsure(register: Any) -> None:
    register("any", text="a photo")
    register("of-toys", "toy")
    assert describe_picture(PICTURE, "toy") == "a photo"
    assert describe_picture(PICTURE, "storybook") == "a photo"


def test_nobody_sure_is_no_words_and_nobody_there_is_told(register: Any) -> None:
    register("of-toys", "toy")
    assert describe_picture(PICTURE, "toy") == ""
    register("any", reason="Put it there.")
    assert missing_for_describer("toy") == ""
    assert missing_for_describer("storybook") == "Put it there."
    with pytest.raises(ModelError, match="Put it there"):
        describe_picture(PICTURE, "storybook")


def test_the_real_ones_stand_in_the_catalogue() -> None:
    catalog.load("describers", "models")
    assert {"blip", "storybook"} <= set(describers.ids())
    for kind in describers:
        assert kind.label
        assert kind.__doc__
        assert kind.worlds <= set(catalog.backends.ids())
        assert kind.why_unavailable() == "" or kind.why_unavailable().endswith(".")
    assert [kind.id for kind in usable_describers("storybook")] == ["storybook"]
    assert "Put a BLIP folder into" in missing_for_describer("toy")
