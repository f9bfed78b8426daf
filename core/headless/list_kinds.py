"""Lists the items of a kind (techniques, inverters, models, ...) for ``sfumato list``."""

import dataclasses
import inspect
from typing import Any

from core import catalog, params


def list_kind(kind: str) -> list[dict[str, Any]]:
    """Return an entry for each item: id, label, about, and whatever else it declares."""
    if kind == "models":
        return _models()
    catalog.load(kind)
    return [_entry(item) for item in catalog.PACKAGES[kind]]


def _entry(item: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": item.id, "label": item.label, "about": _first_paragraph(item)}
    if hasattr(item, "needs"):
        entry["needs"] = sorted(item.needs)
    if hasattr(item, "paper"):
        entry["paper"] = item.paper._asdict() if item.paper else None
    if hasattr(item, "suffixes"):
        entry["suffixes"] = list(item.suffixes)
    if hasattr(item, "Params"):
        entry["params"] = [_param(field) for field in params.fields(item.Params)]
    return entry


def _param(field: params.Field) -> dict[str, Any]:
    """A parameter with the limits that its marker declares."""
    limits = {name: value for name, value in dataclasses.asdict(field.marker).items() if value}
    return {
        **limits,
        "name": field.name,
        "type": field.type.__name__,
        "default": field.default,
        "label": field.label,
    }


def _models() -> list[dict[str, Any]]:
    from core.models.opening import available_models

    return [{"id": m.name, "label": m.label, "about": m.note} for m in available_models()]


def _first_paragraph(item: Any) -> str:
    """The first paragraph of the docstring, which is written for people."""
    return " ".join(inspect.cleandoc(item.__doc__ or "").split("\n\n")[0].split())
