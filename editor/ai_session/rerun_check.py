"""The comparison of a layer with a new run of its recipe: the same picture, and if not, why."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from core.paint.layers import AiLayer
    from core.paint.tiles import Pixels
    from editor.ai_session.layer_results import TaskSnapshot

TOLERANCE = 2
"""Bytes by which two devices may differ in rounding."""
HASH_LENGTH = 8
"""Characters of a hash that are shown."""


def describe_rerun(
    layer: "AiLayer", snapshot: "TaskSnapshot", pixels: "Pixels", facts: Mapping[str, Any]
) -> str:
    """Compare the layer's pixels with those of a new run, in one sentence.

    pixels: height x width x 4 uint8, premultiplied RGBA, 0..255, over the task's rectangle.
    """
    x, y = layer.position
    kept = layer.tiles.read(snapshot.task.rect.translate(-x, -y))
    difference = cv2.absdiff(kept, pixels)
    largest = int(difference.max())
    if largest == 0:
        return f"Exact: {layer.name} came out the same, bit for bit."
    if largest <= TOLERANCE:
        return (
            f"Within tolerance: {layer.name} differs by at most {largest} of 255, as rounding does."
        )
    where = pixels[..., 3] > 0
    share = float((np.asarray(difference).max(axis=2)[where] > TOLERANCE).mean())
    why = _explain_difference(layer, snapshot, facts)
    return f"Different: {layer.name} differs in {share:.0%} of its area; {why}."


def _explain_difference(
    layer: "AiLayer", snapshot: "TaskSnapshot", facts: Mapping[str, Any]
) -> str:
    if layer.rendered != snapshot.task.key:
        return "what lies below it, its region or its recipe has changed since"
    now, then = str(facts.get("model_hash", "")), layer.recipe.model_hash
    if now != then:
        return (
            f"the model's weights are others ({then[:HASH_LENGTH]} then, {now[:HASH_LENGTH]} now)"
        )
    versions, device = facts.get("versions") or {}, facts.get("device", "?")
    here = f"now torch {versions.get('torch', '?')} on {device}"
    return f"the weights are the same, so another device or library made it ({here})"
