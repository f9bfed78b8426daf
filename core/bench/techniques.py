"""Measures every editing method on the same edits, whose true results can be rendered."""

import json
import os
import sys
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core import catalog
from core.ai.guide import Method
from core.bench.laboratory import SIDE, Laboratory, mean
from core.bench.overheads import measure_overheads
from core.bench.pie import PieEdit, read_pie
from core.bench.plot import draw
from core.bench.registry import benches
from core.catalog import params_of
from core.params import Range, Strength, Text, field_marked, fields
from core.storybook.edits import SceneEdit, make_edits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.bench.picture_metrics import Floats

    Row = tuple[dict[str, Any], dict[str, list[Floats]]]

QUICK_EDITS = 12
MIN_RECOGNISED_SHARE = 0.9
INVISIBLE_KINDS = ("colour", "move")
"""Kinds of edits that the judge of things, places and styles cannot recognise."""
MIN_KEPT_PSNR = 22
"""Decibels outside the edit; below, the picture has not been kept."""
COMPARED = "prompt-to-prompt"
"""The editor under which inverters are compared."""


@benches.register
class TechniqueBench:
    """Preservation, recognition and distance to the true picture, for all editing methods."""

    id: ClassVar[str] = "techniques"
    label: ClassVar[str] = "Editing techniques"

    @dataclass(frozen=True)
    class Params:
        edits: Annotated[int, Range(1, 10_000, "Edits")] = 210
        steps: Annotated[int, Range(2, 100, "Steps")] = 20
        model: Annotated[str, Text("Model")] = "storybook"
        workers: Annotated[int, Range(1, 64, "Processes", help="Seconds count when it is 1.")] = 1
        methods: Annotated[str, Text("Methods or techniques, between commas; all when empty")] = ""
        pie: Annotated[str, Text("PIE-Bench's folder, in place of our own edits")] = ""
        out: Annotated[str, Text("Folder for the plot and the gallery")] = ""

    def __init__(self, params: Params) -> None:
        self.params = params

    def run(self, quick: bool) -> dict[str, Any]:
        params = self.params
        names = [name.strip() for name in params.methods.split(",") if name.strip()]
        chosen = [m for m in list_methods() if not names or m.technique in names or m.name in names]
        count = min(QUICK_EDITS, params.edits) if quick else params.edits
        if params.pie:
            edits = list(islice(read_pie(Path(params.pie)), count))
            return measure_on_pie(edits, chosen, Laboratory(params.model, params.steps))
        return measure_methods(replace(params, edits=count), chosen)


def list_methods() -> list[Method]:
    """List every technique with its usual inverter, and every inverter under one technique."""
    catalog.load("inverters", "techniques")
    found = []
    for kind in catalog.techniques:
        defaults = {field.name: field.default for field in fields(params_of(kind))}
        is_edit = kind.needs_mask or field_marked(params_of(kind), Strength) is not None
        if is_edit and not kind.shows_map:
            found.append(Method(kind.id, str(defaults.get("inverter", ""))))
    others = [Method(COMPARED, kind.id) for kind in catalog.inverters]
    return found + [method for method in others if method not in found]


def measure_methods(params: TechniqueBench.Params, chosen: list[Method]) -> dict[str, Any]:
    """Measure each method in a row, the nearest to the true pictures first."""
    rows: list[dict[str, Any]] = []
    shown: dict[str, list[Floats]] = {}
    for row, pictures in _measure_rows(params, chosen):
        rows.append(row)
        shown |= pictures
        sys.stderr.write(f"{json.dumps(row)}\n")
    rows.sort(key=lambda row: -row.get("true_psnr", -1))
    kinds = sorted({edit.kind for edit in _edits_for(params)})
    if params.out:
        draw(rows, shown, Path(params.out))
    facts = {name: getattr(params, name) for name in ("edits", "steps", "model", "workers")}
    facts |= {"kinds": kinds, "guide": choose_methods(rows, kinds)}
    laboratory, edits = _laboratory(params.model, params.steps), _edits_for(params)
    first = edits[0]
    facts |= measure_overheads(laboratory.model, first.pictures(SIDE)[0], first.source_prompt)
    return {**facts, "unchanged": laboratory.unchanged_row(edits), "methods": rows}


def _measure_rows(params: TechniqueBench.Params, chosen: list[Method]) -> "Iterator[Row]":
    """Measure every method's row and pictures, in this process or in several."""
    work = partial(_measure_row, params)
    if params.workers == 1:
        yield from map(work, chosen)
        return
    with get_context("spawn").Pool(params.workers, _share_cores, (params.workers,)) as pool:
        yield from pool.imap(work, chosen)


def _share_cores(workers: int) -> None:
    """Leave the other workers their cores."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def _measure_row(params: TechniqueBench.Params, method: Method) -> "Row":
    laboratory = _laboratory(params.model, params.steps)
    laboratory.shown = {}
    return laboratory.row(method, _edits_for(params)), laboratory.shown


def _edits_for(params: TechniqueBench.Params) -> list[SceneEdit]:
    laboratory = _laboratory(params.model, params.steps)
    return make_edits(params.edits, laboratory.things, laboratory.places, laboratory.styles)


@cache
def _laboratory(model: str, steps: int) -> Laboratory:
    return Laboratory(model, steps)


def measure_on_pie(
    edits: list[PieEdit], chosen: list[Method], laboratory: Laboratory
) -> dict[str, Any]:
    """Measure the background as PIE-Bench's evaluator does; its other metrics need more models."""
    rows: list[dict[str, Any]] = []
    for method in chosen:
        lacking = laboratory.find_missing_needs(method)
        figures = [] if lacking else [laboratory.background_metrics(method, edit) for edit in edits]
        means = {name: mean([one[name] for one in figures]) for name in (figures or [{}])[0]}
        rows.append({"method": method.name, **({"error": lacking} if lacking else means)})
    rows.sort(key=lambda row: -row.get("background_psnr", -1))
    return {"edits": len(edits), "model": laboratory.name, "methods": rows}


def choose_methods(rows: list[dict[str, Any]], kinds: list[str]) -> dict[str, str]:
    """Choose a method for each kind of edit: of those that show it, the nearest to the truth.

    A method shows it when it is recognised at least MIN_RECOGNISED_SHARE times as often as the
    best one, for kinds that the judge knows. Methods that do not keep the rest are left out.
    """
    picked = {}
    good = [row for row in rows if row.get("outside_psnr", 0) >= MIN_KEPT_PSNR]
    for kind in kinds if good else ():
        share = 0 if kind in INVISIBLE_KINDS else MIN_RECOGNISED_SHARE
        least = share * max(row["recognised_of"][kind] for row in good)
        showing = [row for row in good if row["recognised_of"][kind] >= least]
        picked[kind] = str(max(showing, key=lambda row: row["true_psnr_of"][kind])["method"])
    return picked
