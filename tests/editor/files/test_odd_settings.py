"""A settings file with odd text never keeps the window from opening: defaults, and a note."""

import json
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from core import catalog, settings
from core.settings import Settings
from editor.files.remembered_choices import recall_recipe
from tests.editor.app_window import window

ODD: dict[str, Any] = {
    "theme": "pink",
    "device": "warp",
    "verifier": "coin",
    "technique": "none-such",
    "model": "a\0b",
    "tool": "none-such",
    "brush": "../..",
    "recent": ["a\0b", "\ud800", "", "/", "x" * 10_000, "//host/share"],
    "models_folder": "\ud800\0",
    "params": {"tool:brush": {"opacity": "\ud800"}, "brush:round": {"size": None}},
    "windows": {"": {"docks": "\u20ac", "x": 1e999}, "big": {"rows": [[]], "width": -1}},
    "window": "\u20ac",
    "cache_mb": 0,
    "undo_mb": 0,
    "autosave_seconds": 0,
}


def write(text: str) -> None:
    path = settings.default_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ODD),
        "[" * 100_000,
        '{"params": {"x": {"y": ' + "[" * 5000 + "]" * 5000 + "}}}",
    ],
    ids=["everything", "brackets", "inside"],
)
def test_the_window_opens_all_the_same(qtbot: QtBot, text: str) -> None:
    write(text)
    with window(is_remembered=True) as app:
        assert app.window.isVisible()
        assert app.session.studio.choices.tool == "brush"
        assert app.session.ai.current_recipe.shown.technique in catalog.techniques
        assert app.window.message_bar.sentence.text()
    assert settings.load().note == "", "what was odd is gone from the file"


@pytest.mark.parametrize("name", ["", "none-such", "..", "\ud800", "a\0b"])
def test_a_technique_that_is_gone_gives_the_usual_one(name: str) -> None:
    catalog.load()
    recipe, notes = recall_recipe(Settings(technique=name))
    assert recipe.technique == Settings().technique
    assert "technique" in notes[0]


@pytest.mark.parametrize("name", ["", "none-such", "/", "a\0b", "\ud800", "x" * 10_000])
def test_a_model_that_is_gone_gives_the_usual_one(name: str) -> None:
    catalog.load()
    recipe, notes = recall_recipe(Settings(model=name))
    assert recipe.model == Settings().model
    assert "model" in notes[0]


def test_what_there_is_is_kept_without_a_word() -> None:
    catalog.load()
    recipe, notes = recall_recipe(Settings(technique="sdedit", model="toy"))
    assert (recipe.technique, recipe.model, notes) == ("sdedit", "toy", [])
