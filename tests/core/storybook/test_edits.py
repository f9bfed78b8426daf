"""Edits with a known result: their prompts name the change, and nothing else changes."""

import numpy as np

from core.storybook.edits import KINDS, make_edits
from core.storybook.sample import World

SMALL = World.small()


def test_kinds_take_turns_and_repeat_exactly() -> None:
    made = make_edits(14, SMALL.things, SMALL.places)
    assert [edit.kind for edit in made[:6]] == list(KINDS[:6])
    assert made == make_edits(14, SMALL.things, SMALL.places)
    assert "style" in {e.kind for e in make_edits(7, SMALL.things, SMALL.places, ("clay", "flat"))}


def test_every_edit_changes_something_and_keeps_something() -> None:
    for edit in make_edits(24, SMALL.things, SMALL.places):
        before, after, differs = edit.pictures(64)
        assert before.shape == after.shape == (64, 64, 3)
        assert differs.any(), edit.kind
        assert np.abs(before - after)[~differs].max(initial=0) < 4 / 255
        if edit.kind != "background":
            assert differs.mean() < 0.8
        assert edit.prompt != edit.source_prompt


def test_what_is_wanted_is_in_the_answer() -> None:
    for edit in make_edits(24, SMALL.things, SMALL.places):
        assert edit.wanted == tuple(item.name for item in edit.after.items)
        assert all(name in edit.prompt for name in edit.wanted)
        if edit.kind == "remove":
            assert len(edit.after.items) < len(edit.before.items)
        if edit.kind == "colour":
            assert str(edit.after.items[0].colour) in edit.prompt


def test_a_change_of_style_keeps_thing_and_place() -> None:
    made = [
        e for e in make_edits(28, SMALL.things, SMALL.places, SMALL.styles) if e.kind == "style"
    ]
    for edit in made:
        assert {edit.before.items[0].style, edit.style} == set(SMALL.styles)
        assert edit.after.restyle(edit.before.items[0].style) == edit.before
        assert edit.prompt.replace(f", {edit.style}", "") in edit.source_prompt
