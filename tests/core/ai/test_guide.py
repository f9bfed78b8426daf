"""The guide: its choice first, then by nearness; what a model cannot run is passed over."""

import json
from pathlib import Path
from typing import Any

from core.ai.guide import (
    Method,
    best_method,
    method_values,
    needs_of,
    ranked_methods,
    read_guide,
)


def write_guide(folder: Path, best: str, rows: dict[str, tuple[float, float]]) -> Path:
    """Rows by method: how near to the truth, and how well the rest is kept, both in decibels."""
    methods: list[dict[str, Any]] = [
        {"method": name, "true_psnr_of": {"object": near}, "outside_psnr": kept}
        for name, (near, kept) in rows.items()
    ]
    path = folder / "guide.json"
    path.write_text(json.dumps({"guide": {"object": best}, "methods": methods}))
    return path


ROWS = {
    "blended-inpaint": (14.0, 30.0),
    "prompt-to-prompt + direct": (18.0, 28.0),
    "sdedit": (19.0, 12.0),
    "gone": (30.0, 30.0),
    "flowedit": (10.0, 40.0),
}


def test_the_guides_choice_is_first_and_what_spoils_the_rest_is_left_out(tmp_path: Path) -> None:
    path = write_guide(tmp_path, "blended-inpaint", ROWS)
    assert ranked_methods("object", path) == [
        Method("blended-inpaint"),
        Method("prompt-to-prompt", "direct"),
        Method("flowedit"),
    ]
    assert ranked_methods("unheard of", path) == []


def test_a_model_gets_the_best_that_it_can_run(tmp_path: Path) -> None:
    path = write_guide(tmp_path, "prompt-to-prompt + direct", ROWS)
    attention = frozenset({"attention"})
    assert best_method("object", "sdedit", attention, path) == Method("prompt-to-prompt", "direct")
    assert best_method("object", "sdedit", frozenset(), path) == Method("blended-inpaint")
    assert best_method("unheard of", "sdedit", attention, path) == Method("sdedit")


def test_an_inverters_needs_and_name_go_with_it() -> None:
    swap = Method("prompt-to-prompt", "null-text")
    assert "gradient" in needs_of(swap)
    assert method_values(swap) == {"inverter": "null-text"}
    assert method_values(Method("sdedit")) == {}


def test_without_a_readable_guide_there_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "guide.json"
    broken.write_text("[1")
    assert read_guide(broken) == {}
    assert read_guide(tmp_path / "gone.json") == {}
    assert ranked_methods("object", broken) == []
