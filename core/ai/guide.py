"""The guide: which method suits which kind of edit, as ``sfumato bench techniques`` measured it."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from core import catalog
from core.catalog import inverters, params_of, techniques
from core.params import fields

GUIDE = Path(__file__).resolve().parents[2] / "resources" / "guide.json"
MIN_KEPT_PSNR = 22
"""Decibels outside the edit; below, a method has not kept the picture."""
INVERTER = "inverter"
"""What techniques that take an inverter call it."""


class Method(NamedTuple):
    """A technique, with an inverter where it takes one."""

    technique: str
    inverter: str = ""

    @property
    def name(self) -> str:
        """What the guide calls it."""
        return f"{self.technique} + {self.inverter}" if self.inverter else self.technique


@cache
def read_guide(path: Path = GUIDE) -> dict[str, Any]:
    """Read the measurements; an empty mapping where there are none, or they cannot be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def ranked_methods(kind: str, path: Path = GUIDE) -> list[Method]:
    """List the measured methods for a kind of edit: the guide's own choice, then by nearness.

    Methods of techniques or inverters that are not installed are left out.
    """
    guide = read_guide(path)
    rows = [row for row in guide.get("methods", ()) if kind in row.get("true_psnr_of", ())]
    kept = [row for row in rows if row.get("outside_psnr", 0) >= MIN_KEPT_PSNR]
    kept.sort(key=lambda row: -float(row["true_psnr_of"][kind]))
    chosen = guide.get("guide", {}).get(kind)
    names = ([chosen] if chosen else []) + [str(row["method"]) for row in kept]
    methods = [Method(*name.split(" + ")[:2]) for name in dict.fromkeys(names)]
    return [method for method in methods if _is_installed(method)]


def best_method(kind: str, usual: str, capabilities: frozenset[str], path: Path = GUIDE) -> Method:
    """Choose the best measured method that a model with these capabilities can run.

    ``usual`` is the technique where nothing was measured for the kind.
    """
    for method in ranked_methods(kind, path):
        if needs_of(method) <= capabilities:
            return method
    return Method(usual)


def needs_of(method: Method) -> frozenset[str]:
    """The capabilities that a method cannot do without."""
    needs: frozenset[str] = techniques[method.technique].needs
    return needs | inverters[method.inverter].needs if method.inverter else needs


def method_values(method: Method) -> dict[str, str]:
    """The parameters of the technique that make it this method."""
    names = {field.name for field in fields(params_of(techniques[method.technique]))}
    return {INVERTER: method.inverter} if method.inverter and INVERTER in names else {}


def _is_installed(method: Method) -> bool:
    catalog.load("techniques", "inverters")
    has_inverter = not method.inverter or method.inverter in inverters
    return method.technique in techniques and has_inverter
