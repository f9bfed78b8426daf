"""Scores finished layers with a verifier, so that the results of several seeds can be compared."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from core import catalog
from core.ai.crop import Geometry, scale_to_model
from core.ai.layer import make_task
from core.ai.recipe_values import prompt_of
from core.catalog import Verifier, verifiers
from core.diffusion.latent_masks import soft_latent_mask
from core.errors import EditorError
from core.scoring.case import Case

if TYPE_CHECKING:
    from core.ai.layer import LayerTask
    from core.diffusion.model import Model
    from core.paint.tiles import Pixels
    from core.task import Recipe

catalog.load("verifiers")


def missing_for_verifier(kind: type[Verifier], recipe: "Recipe") -> str:
    """Say what to do before a verifier can score a recipe's results; empty when it can."""
    if kind.needs_prompt and not prompt_of(recipe).strip():
        return "Write a prompt first, so that there is something to judge seeds by."
    return ""


def score_layer(verifier: str, task: "LayerTask", pixels: "Pixels", model: "Model") -> float | None:
    """Score a finished layer; None when the verifier cannot.

    pixels: height x width x 4 uint8 over task.rect, premultiplied RGBA, 0..255. Results of one
    task are scored with the same noise, whatever their seeds.
    """
    if verifier not in verifiers:
        return None
    kind = verifiers[verifier]
    if kind.needs - model.capabilities or missing_for_verifier(kind, task.recipe):
        return None
    try:
        score = _score(kind, task, pixels, model)
    except EditorError:
        return None
    return score if math.isfinite(score) else None


def describe_gain(verifier: str, score: float, other: float) -> str:
    """Compare a score with another one in words: "fits the prompt 12 % better"."""
    kind = verifiers[verifier]
    gain = kind.gain(score, other)
    if abs(gain) < 0.05:
        return f"{kind.claim} just as well"
    amount = f"{abs(gain):.0f}" if abs(gain) >= 9.5 else f"{abs(gain):.1g}"
    return f"{kind.claim} {amount} % {'better' if gain > 0 else 'worse'}"


def _score(
    kind: type[Verifier], layer_task: "LayerTask", pixels: "Pixels", model: "Model"
) -> float:
    geometry = Geometry(model.native, model.multiple)
    unseeded = replace(layer_task, recipe=replace(layer_task.recipe, seed=0))
    task = make_task(unseeded, geometry, model.factor)
    x0 = model.encode(task.image)
    verify = kind().judge(Case(task, model, x0, soft_latent_mask(task.mask, x0)))
    return float(
        verify(model.encode(scale_to_model(_lay_over(layer_task.crop, pixels), geometry)))[0]
    )


def _lay_over(crop: "Pixels", pixels: "Pixels") -> "Pixels":
    """Lay a layer's pixels on the crop below it."""
    transparency = cv2.merge([255 - pixels[..., 3]] * 3)
    below = cv2.multiply(crop, transparency, scale=1 / 255)
    return np.asarray(cv2.add(below, np.ascontiguousarray(pixels[..., :3])), np.uint8)
