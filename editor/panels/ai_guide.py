"""A line on which method suits which edit, from measurements of ``sfumato bench techniques``."""

from pathlib import Path

from core.ai.guide import GUIDE, read_guide
from core.catalog import inverters, params_of, techniques
from core.params import fields

WORDS = {
    "object": "other things",
    "colour": "colours",
    "background": "places",
    "style": "styles",
    "add": "adding",
    "remove": "removing",
    "move": "moving",
}


def guide_line(path: Path = GUIDE) -> str:
    """One line, "Measured best: for colours Swap words, ..."; empty without measurements."""
    best: dict[str, str] = read_guide(path).get("guide", {})
    picks: dict[str, list[str]] = {}
    for kind, method in best.items():
        if kind in WORDS and (label := _label_of(*method.split(" + "))):
            picks.setdefault(label, []).append(WORDS[kind])
    parts = [f"{label} for {_join_words(kinds)}" for label, kinds in picks.items()]
    return f"Measured best on Storybook: {'; '.join(parts)}." if parts else ""


def _label_of(technique: str, inverter: str = "") -> str:
    """The label of a method, with its inverter unless it is the default one; empty if unknown."""
    if technique not in techniques:
        return ""
    kind = techniques[technique]
    usual = {field.name: field.default for field in fields(params_of(kind))}.get("inverter", "")
    if inverter == usual or inverter not in inverters:
        return str(kind.label)
    return f"{kind.label} with {inverters[inverter].label}"


def _join_words(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
