"""The guide line names techniques that exist; without measurements it is empty."""

import json
from pathlib import Path

from core import catalog
from core.ai.guide import GUIDE
from editor.panels.ai_guide import WORDS, guide_line

catalog.load("inverters", "techniques")


def write_guide(folder: Path, guide: dict[str, str]) -> Path:
    path = folder / "guide.json"
    path.write_text(json.dumps({"guide": guide}))
    return path


def test_kinds_of_one_technique_are_joined(tmp_path: Path) -> None:
    best = {
        "object": "prompt-to-prompt + direct",
        "colour": "sdedit",
        "move": "prompt-to-prompt + direct",
        "style": "prompt-to-prompt + ddim",
        "add": "gone",
    }
    assert guide_line(write_guide(tmp_path, best)) == (
        "Measured best on Storybook: Swap words for other things and moving; Restyle for colours; "
        "Swap words with DDIM inversion for styles."
    )


def test_without_measurements_it_is_empty(tmp_path: Path) -> None:
    assert guide_line(tmp_path / "gone.json") == ""
    assert guide_line(write_guide(tmp_path, {})) == ""


def test_what_ships_names_techniques_that_exist() -> None:
    best = json.loads(GUIDE.read_text("utf-8"))["guide"]
    assert {method.split(" + ")[0] for method in best.values()} <= set(catalog.techniques.ids())
    assert set(best) <= set(WORDS)
