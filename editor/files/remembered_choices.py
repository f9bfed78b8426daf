"""Tool, brush and dials from one session to the next, by way of the settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.catalog import brushes, params_of, techniques, tools
from core.errors import EditorError
from core.models.opening import backend_of
from core.params import check, fields, to_json
from core.registry import Registry
from core.settings import Settings
from core.task import Recipe
from editor.ai_session.current_recipe import fresh_recipe
from editor.studio import ToolChoices

TOOL, BRUSH = "tool", "brush"


def recall_choices(settings: Settings) -> tuple[ToolChoices, list[str]]:
    """The choices that settings remember, and a sentence for each that cannot be had any more."""
    usual, notes = ToolChoices(), []
    tool, brush = settings.tool, settings.brush
    if tool not in tools:
        notes.append(f"There is no tool {tool!r}: the {tools[usual.tool].label} is chosen.")
        tool = usual.tool
    if brush not in brushes:
        notes.append(f"There is no brush {brush!r}: {brushes[usual.brush].label} is chosen.")
        brush = usual.brush
    tool_params, tool_notes = _recall_params(settings.params, TOOL, tools)
    brush_params, brush_notes = _recall_params(settings.params, BRUSH, brushes)
    choices = ToolChoices(tool, brush, tool_params=tool_params, brush_params=brush_params)
    return choices, [*notes, *tool_notes, *brush_notes]


def remember_choices(settings: Settings, choices: ToolChoices) -> Settings:
    """The settings with these choices; dials of what is not installed now are kept."""
    params = dict(settings.params)
    for kind, values in ((TOOL, choices.tool_params), (BRUSH, choices.brush_params)):
        params |= {f"{kind}:{name}": to_json(value) for name, value in values.items()}
    return replace(settings, tool=choices.tool, brush=choices.brush, params=params)


def recall_recipe(settings: Settings) -> tuple[Recipe, list[str]]:
    """The recipe of the next AI layer, and a sentence for what of it cannot be had any more."""
    usual, notes = Settings(), []
    technique, model = settings.technique, settings.model
    if technique not in techniques:
        technique = usual.technique
        label = techniques[technique].label
        notes.append(f"There is no technique {settings.technique!r}: {label} is chosen.")
    try:
        backend_of(model)
    except EditorError:
        model = usual.model
        notes.append(f"There is no model {settings.model!r}: the one that is shipped is chosen.")
    return fresh_recipe(technique, model), notes


def _recall_params(
    remembered: Mapping[str, Mapping[str, Any]], kind: str, registry: Registry[Any]
) -> tuple[dict[str, Any], list[str]]:
    """Params by id of everything registered that has been dialled, and what was odd."""
    found, notes = {}, []
    for item in registry:
        values = remembered.get(f"{kind}:{item.id}")
        if values:
            found[item.id], odd = _recall_values(params_of(item), values)
            if odd:
                notes.append(f"Dials of {item.label} have their usual values: {', '.join(odd)}.")
    return found, notes


def _recall_values(cls: type[Any], values: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Params with every value that fits, and the labels of those that do not."""
    good, odd = {}, []
    for field in fields(cls):
        if field.name not in values:
            continue
        try:
            good[field.name] = check(field, values[field.name])
        except EditorError:
            odd.append(field.label)
    return cls(**good), odd
