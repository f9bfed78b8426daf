"""The recipe that a technique and a model start with."""

from collections.abc import Mapping
from typing import Any

from core import catalog
from core.catalog import ModelDefaults, modifiers, params_of, techniques
from core.models.opening import model_defaults
from core.params import (
    Guidance,
    GuidanceScale,
    Value,
    field_marked,
    fields,
    from_json,
    to_json,
    values_brought,
    values_by_name,
)
from core.task import ModifierSetting, Recipe

GUIDANCE = "cfg"


def default_recipe(
    technique: str,
    model: str,
    seed: int = 0,
    values: Mapping[str, Any] | None = None,
    wrappers: tuple[ModifierSetting, ...] = (),
) -> Recipe:
    """Make a recipe with every parameter; ``values`` and ``wrappers`` take precedence.

    A technique with a guidance parameter keeps its own scales there and gets no modifier; only a
    model that embeds its guidance replaces them, all together.

    Raises EditorError for an unknown technique, or a parameter that is unknown or out of range.
    """
    catalog.load("techniques", "modifiers")
    kind = params_of(techniques[technique])
    usual = model_defaults(model)
    params = to_json(kind())
    params |= values_by_name(kind, usual.params) | _embedded_scales(kind, usual)
    given = values or {}
    params = to_json(from_json(kind, {**params, **values_brought(kind, given), **given}))
    if not wrappers and usual.guidance > 1 and field_marked(kind, Guidance) is None:
        guide = params_of(modifiers[GUIDANCE])
        scale = values_by_name(guide, {Guidance: usual.guidance})
        wrappers = (ModifierSetting(GUIDANCE, to_json(guide(**scale))),)
    return Recipe(technique, params, model, wrappers, seed)


def _embedded_scales(kind: type[Any], usual: ModelDefaults) -> dict[str, Value]:
    """Every guidance scale of a technique on a model that reads its guidance as a number."""
    scales: dict[str, Value] = {}
    for field in fields(kind) if usual.embeds_guidance else ():
        if isinstance(field.marker, GuidanceScale):
            own = field.marker.embedded
            scales[field.name] = usual.guidance if own is None else own
    return scales
