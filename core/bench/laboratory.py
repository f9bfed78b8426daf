"""Runs one edit by one method and measures the result against the true picture."""

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from core import catalog
from core.ai.guide import Method
from core.ai.recipe_defaults import default_recipe
from core.bench.picture_metrics import mse, psnr, ssim, structure_distance
from core.bench.plot import MAX_SHOWN
from core.catalog import params_of
from core.errors import EditorError
from core.params import Prompt, SourcePrompt, Steps, fields, from_json, values_by_name
from core.task import Recipe, Task

if TYPE_CHECKING:
    from torch import Tensor

    from core.bench.picture_metrics import Floats
    from core.bench.pie import PieEdit
    from core.storybook.edits import SceneEdit

SIDE = 128


class Laboratory:
    """A model, and the judge that measures its results."""

    def __init__(self, model: str, steps: int) -> None:
        from core.models.opening import open_model
        from core.storybook.layout import FOLDER, read_description

        catalog.load("inverters", "techniques")
        self.name, self.steps = model, steps
        self.shown: dict[str, list[Floats]] = {}
        self.peak = 0
        self.model = open_model(model)
        description = read_description(FOLDER)
        self.things = tuple(description["objects"])
        self.places = tuple(description["backgrounds"])
        self.styles = tuple(description.get("styles") or ("clay",))

    def row(self, method: Method, edits: "list[SceneEdit]") -> dict[str, Any]:
        """Measure a method: means over all edits, and by kind how near to the true pictures."""
        lacking = self.find_missing_needs(method)
        if lacking:
            return {"method": method.name, "error": lacking}
        self.peak = 0
        try:
            results = [self.edit_metrics(method, edit) for edit in edits]
        except EditorError as error:
            return {"method": method.name, "error": str(error)}
        facts = {"method": method.name, "edits": len(edits), "memory_mb": self.peak}
        return {**facts, **summarise(results)}

    def unchanged_row(self, edits: "list[SceneEdit]") -> dict[str, Any]:
        """Compute the figures of a method that leaves every picture as it is."""
        results = []
        for edit in edits:
            before, after, differs = edit.pictures(SIDE)
            results.append(self._figures(edit, (before, after, before), differs))
        return summarise(results)

    @cached_property
    def judge(self) -> Any:
        from core.storybook.judge import load_judge

        return load_judge()[0]

    @cached_property
    def codec(self) -> Any:
        from core.storybook.codec import load_codec
        from core.storybook.layout import FOLDER

        return load_codec(FOLDER)

    def find_missing_needs(self, method: Method) -> str:
        """Name what the method needs and the model has not; empty when nothing is missing."""
        needs = catalog.techniques[method.technique].needs
        if method.inverter:
            needs = needs | catalog.inverters[method.inverter].needs
        missing = sorted(needs - self.model.capabilities)
        return f"needs {', '.join(missing)}" if missing else ""

    def background_metrics(self, method: Method, edit: "PieEdit") -> dict[str, float]:
        """Measure the background of one edit: both pictures are black where the mask is."""
        before = edit.picture()
        calls, began = self.model.calls, time.perf_counter()
        result = self.run_edit(method, edit, before, edit.mask)
        seconds = time.perf_counter() - began
        backgrounds = [picture * ~edit.mask[..., None] for picture in (before, result)]
        return {
            "background_psnr": psnr(*backgrounds),
            "background_mse": mse(*backgrounds),
            "background_ssim": ssim(*backgrounds),
            "calls": self.model.calls - calls,
            "seconds": seconds,
        }

    def edit_metrics(self, method: Method, edit: "SceneEdit") -> dict[str, Any]:
        """Measure one edit by one method."""
        before, after, differs = edit.pictures(SIDE)
        calls, began = self.model.calls, time.perf_counter()
        result = self.run_edit(method, edit, before, differs)
        seconds = time.perf_counter() - began
        self._keep_for_gallery({"picture": before, "true answer": after, method.name: result})
        spent = {"calls": self.model.calls - calls, "seconds": seconds}
        return {**self._figures(edit, (before, after, result), differs), **spent}

    def _figures(
        self, edit: "SceneEdit", pictures: "tuple[Floats, Floats, Floats]", differs: Any
    ) -> dict[str, Any]:
        """How near a result is to the picture before and to the true picture."""
        before, after, result = pictures
        features = [self._features(picture) for picture in (before, result)]
        return {
            "kind": edit.kind,
            "outside_psnr": psnr(before, result, ~differs),
            "outside_ssim": ssim(before, result, ~differs),
            "outside_mse": mse(before, result, ~differs),
            "structure": structure_distance(*features),
            "recognised": self._recognises(edit, result),
            "true_psnr": psnr(after, result, differs),
            "true_ssim": ssim(after, result, differs),
        }

    def _keep_for_gallery(self, pictures: "dict[str, Floats]") -> None:
        for name, picture in pictures.items():
            row = self.shown.setdefault(name, [])
            if len(row) < MAX_SHOWN:
                row.append(picture)

    def run_edit(
        self, method: Method, edit: "SceneEdit | PieEdit", before: "Floats", differs: Any
    ) -> "Floats":
        """Edit a picture by a method; one that needs a region gets the true one.

        before: height x width x 3 float32, 0..1. differs: height x width bool. Returns the result,
        like ``before``.
        """
        from core.modifiers.wrapping import wrap_model

        recipe = self._recipe(method, edit)
        kind = catalog.techniques[method.technique]
        params = from_json(params_of(kind), recipe.params)
        mask = differs.astype(np.float32) if kind.needs_mask else np.ones_like(differs, np.float32)
        self.model.cache.clear()
        task = Task(recipe, params, before, mask)
        run = kind().run(task, wrap_model(self.model, recipe.modifiers))
        while True:
            try:
                next(run)
            except StopIteration as end:
                result: Floats = end.value
                return result
            self.peak = max(self.peak, round(psutil.Process().memory_info().rss / 2**20))

    def _recipe(self, method: Method, edit: "SceneEdit | PieEdit") -> Recipe:
        kind = params_of(catalog.techniques[method.technique])
        values = values_by_name(
            kind, {Prompt: edit.prompt, SourcePrompt: edit.source_prompt, Steps: self.steps}
        )
        if "inverter" in {field.name for field in fields(kind)}:
            values["inverter"] = method.inverter
        return default_recipe(method.technique, self.name, 1, values)

    def _features(self, picture: "Floats") -> "Tensor":
        import torch

        with torch.no_grad():
            features: Tensor = self.judge.body(self._judge_latent(picture))[0]
        return features

    def _judge_latent(self, picture: "Floats") -> "Tensor":
        """A picture's latent, which is the judge's input."""
        import torch

        pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
        latent: Tensor = self.codec.encode(pixels)
        return latent

    def _recognises(self, edit: "SceneEdit", picture: "Floats") -> float:
        """Share of what is wanted (things, their style, the place) that the judge recognises."""
        import torch

        with torch.no_grad():
            verdict = self.judge(self._judge_latent(picture))
        known = self.judge.config
        names, places, styles = known.things, known.places, known.styles
        best = verdict.things[0].topk(max(1, len(edit.wanted))).indices.tolist()
        found = {names[index] for index in best}
        right = [name in found for name in edit.wanted]
        right += [styles[int(verdict.styles.argmax())] == edit.style] if edit.wanted else []
        return float(np.mean([*right, places[int(verdict.places.argmax())] == edit.place]))


def summarise(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Average over all edits, and by kind what is recognised and how near to the true pictures."""
    kinds = sorted({result["kind"] for result in results})
    means = {name: mean([r[name] for r in results]) for name in results[0] if name != "kind"}
    by_kind = {
        f"{name}_of": {k: mean([r[name] for r in results if r["kind"] == k]) for k in kinds}
        for name in ("true_psnr", "recognised")
    }
    return {**means, **by_kind}


def mean(values: list[float]) -> float:
    """Average the values that are numbers, to 4 places; NaN when there is none."""
    found = [value for value in values if not np.isnan(value)]
    return round(float(np.mean(found)), 4) if found else float("nan")
