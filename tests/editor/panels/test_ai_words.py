"""The words of the dock: what differs is marked, and only techniques that ask see more fields."""

import re

import pytest
from pytestqt.qtbot import QtBot

from core import catalog
from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import negative_prompt_of, prompt_of
from editor.ai_session.current_recipe import with_prompts, with_technique
from editor.panels.ai_words import CHANGES_LINK, PromptFields, mark_changes

pytestmark = pytest.mark.gui
catalog.load("techniques", "modifiers", "models")


def test_gone_words_are_struck_out_and_new_ones_bold() -> None:
    text = mark_changes("a red apple on <grass>", "a sunflower on <grass>")
    assert re.sub("</?a[^>]*>", "", text).startswith(
        "a <s>red</s> <s>apple</s> on &lt;grass&gt; → a <b>sunflower</b> on &lt;grass&gt;"
    )
    assert "<a href='apple'" in text
    assert mark_changes("", "a cat") == mark_changes("a cat", " ") == ""
    assert "Nothing differs yet" in mark_changes("a cat", "a  cat")


def test_the_source_is_asked_for_only_when_somebody_listens(qtbot: QtBot) -> None:
    words = PromptFields()
    qtbot.addWidget(words)
    words.show()
    words.show_source(None, "a cat")
    assert not words.source.isVisible()
    assert not words.difference.isVisible()
    words.show_source("a dog", "a cat")
    assert words.source.toPlainText() == "a dog"
    assert words.difference.isVisible()


def test_what_is_written_is_told_and_the_link_searches(qtbot: QtBot) -> None:
    words = PromptFields()
    qtbot.addWidget(words)
    words.show_source("a dog", "a cat")
    with qtbot.waitSignal(words.changed) as told:
        words.source.setPlainText("a wolf")
    assert told.args == ["", "", "a wolf"]
    with qtbot.waitSignal(words.search) as sought:
        words.difference.linkActivated.emit("dog")
    assert sought.args == ["dog"]
    assert f"<a href='{CHANGES_LINK}'>" in words.difference.text()
    with qtbot.waitSignal(words.search) as sought:
        words.difference.linkActivated.emit(CHANGES_LINK)
    assert sought.args == [""]


def test_another_technique_keeps_words_and_brings_its_own_guidance() -> None:
    brush = with_prompts(default_recipe("layered-brush", "storybook", 4), "a cat", "blurred")
    swap = with_technique(brush, "prompt-to-prompt")
    assert (prompt_of(swap), negative_prompt_of(swap), swap.seed) == ("a cat", "blurred", 4)
    assert swap.modifiers == ()
    assert swap.params["steps"] == brush.params["steps"]
    swap = with_prompts(swap, "a dog", "dull", "a cat")
    assert swap.params["source_prompt"] == "a cat"
    back = with_technique(swap, "sdedit")
    assert (prompt_of(back), negative_prompt_of(back)) == ("a dog", "dull")
    assert back.modifiers[0].id == "cfg"
    assert "source_prompt" not in back.params
