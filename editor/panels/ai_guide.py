"""Which method to pick for what, from our own measurements (``sfumato bench techniques``)."""

import json
from functools import cache
from pathlib import Path

from core.catalog import techniques

GUIDE = Path(__file__).resolve().parents[2] / "resources" / "guide.json"
WORDS = {
    "object": "other things",
    "colour": "colours",
    "background": "places",
    "style": "styles",
    "add": "adding",
    "remove": "removing",
    "move": "moving",
}


@cache
def guide_line(path: Path = GUIDE) -> str:
    """One line, "Measured best: for colours Swap words, ..."; empty without measurements."""
    try:
        best: dict[str, str] = json.loads(path.read_text("utf-8"))["guide"]
    except (OSError, ValueError, KeyError):
        return ""
    picks: dict[str, list[str]] = {}
    for kind, method in best.items():
        name = method.split(" + ")[0]
        if name in techniques and kind in WORDS:
            picks.setdefault(techniques[name].label, []).append(WORDS[kind])
    parts = [f"{label} for {_listed(kinds)}" for label, kinds in picks.items()]
    return f"Measured best on Storybook: {'; '.join(parts)}." if parts else ""


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
