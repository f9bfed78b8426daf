"""Tool, brush and dials return at the next start; what cannot be had is replaced and said."""

import json
from typing import Any

import pytest

from core import catalog, settings
from core.settings import Settings
from editor.files.remembered_choices import recall_choices, remember_choices
from editor.studio import Studio, ToolChoices


@pytest.fixture(autouse=True)
def _registries() -> None:
    catalog.load("tools", "brushes")


def test_choices_come_back_as_they_were() -> None:
    studio = Studio()
    studio.choose(tool="eraser", brush="pencil")
    studio.set_brush_params(type(studio.brush_params)(size=7.0, pressure_size=True))
    studio.set_tool_params(type(studio.tool_params)(opacity=40.0))
    settings.save(remember_choices(Settings(), studio.choices))
    assert recall_choices(settings.load().settings) == (studio.choices, [])


def test_dials_of_what_is_not_installed_are_kept() -> None:
    before = Settings(params={"brush:lost": {"size": 3}, "technique:sdedit": {"steps": 9}})
    after = remember_choices(before, ToolChoices())
    assert after.params == before.params


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"tool": "airbrush"}, "airbrush"),
        ({"tool": ""}, "tool"),
        ({"brush": "chisel-of-yore"}, "chisel-of-yore"),
        ({"brush": "../../etc"}, "etc"),
        ({"tool": "round", "brush": "brush"}, "round"),
    ],
)
def test_an_unknown_tool_or_brush_is_replaced_with_a_note(values: Any, word: str) -> None:
    choices, notes = recall_choices(Settings(**values))
    assert (choices.tool, choices.brush) == ("brush", "round")
    assert word in notes[0]


@pytest.mark.parametrize(
    "odd", [1e9, -1, "big", None, [], {"a": 1}, float("nan"), True, "\ud800", 10**400]
)
def test_one_odd_dial_costs_no_other(odd: Any) -> None:
    remembered = {"brush:round": {"size": odd, "flow": 30, "from_the_future": 1}}
    choices, notes = recall_choices(Settings(params=remembered))
    params = choices.brush_params["round"]
    assert params.flow == 30
    assert params.size in {24.0, 1.0}
    assert bool(notes) is (params.size == 24.0)


def test_odd_text_in_a_file_gives_usable_choices() -> None:
    path = settings.default_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"tool": ["brush"], "brush": 7, "params": {"brush:round": {}}}))
    choices, notes = recall_choices(settings.load().settings)
    assert (choices.tool, choices.brush, notes) == ("brush", "round", [])
