"""The prompt fields: differing words are marked, and fields appear for techniques that use them."""

import re

import pytest
from pytestqt.qtbot import QtBot

from core import catalog
from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import negative_prompt_of, prompt_of
from core.ai.verb_recipes import with_technique
from editor.ai_session.current_recipe import with_prompts
from editor.panels.ai_words import CHANGES_LINK, PromptFields, mark_changes

pytestmark = pytest.mark.gui
catalog.load("techniques", "modifiers", "models")


def test_removed_words_are_struck_out_and_new_ones_bold() -> None:
    text = mark_changes("a red apple on <grass>", "a sunflower on <grass>")
    assert re.sub("</?a[^>]*>", "", text).startswith(
        "a <s>red</s> <s>apple</s> on &lt;grass&gt; → a <b>sunflower</b> on &lt;grass&gt;"
    )
    assert "<a href='apple'" in text
    assert mark_changes("", "a cat") == mark_changes("a cat", " ") == ""
    assert "Nothing differs yet" in mark_changes("a cat", "a  cat")


def test_the_source_prompt_is_shown_only_when_it_is_used(qtbot: QtBot) -> None:
    fields = PromptFields()
    qtbot.addWidget(fields)
    fields.show()
    fields.show_source("", "a cat", is_asked=False)
    assert not fields.source.isVisible()
    assert not fields.difference.isVisible()
    fields.show_source("a dog", "a cat")
    assert fields.source.toPlainText() == "a dog"
    assert fields.difference.isVisible()


def test_typing_and_links_emit_their_signals(qtbot: QtBot) -> None:
    fields = PromptFields()
    qtbot.addWidget(fields)
    fields.show_source("a dog", "a cat")
    with qtbot.waitSignal(fields.changed) as changed:
        fields.source.setPlainText("a wolf")
    assert changed.args == ["", "", "a wolf"]
    with qtbot.waitSignal(fields.search) as search:
        fields.difference.linkActivated.emit("dog")
    assert search.args == ["dog"]
    assert f"<a href='{CHANGES_LINK}'>" in fields.difference.text()
    with qtbot.waitSignal(fields.search) as search:
        fields.difference.linkActivated.emit(CHANGES_LINK)
    assert search.args == [""]


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
