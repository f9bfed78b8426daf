"""Measures the layered diffusion brush: calls, times, cost against canvas size, exactness."""

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.bench.registry import benches
from core.bench.strokes import (
    add_ai_layer,
    make_picture,
    open_storybook,
    running_engine,
    time_cancel,
    time_stroke,
)
from core.bench.timing import milliseconds
from core.engine.engine import Engine
from core.engine.messages import ModelOpened
from core.geometry import Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer

SMALL, LARGE = Size(512, 512), Size(4096, 4096)
STEPS, DEPTH = 12, 0.7
"""The shipped model's steps; with two of them joint, depth n is 7."""
TAIL = 2


@benches.register
class BrushBench:
    """The cost of an AI stroke, with the limits that the project sets itself."""

    id: ClassVar[str] = "brush"
    label: ClassVar[str] = "AI brush"

    def run(self, quick: bool) -> dict[str, Any]:
        from core.bench.peer import compare_with_peer

        with open_storybook() as (model, description):
            figures = asyncio.run(_measure_all(model, 3 if quick else 15))
        return {
            "model": description,
            **figures,
            "peer": asyncio.run(compare_with_peer(1 if quick else 3)),
        }


async def _measure_all(model: str, repeats: int) -> dict[str, Any]:
    async with running_engine() as engine:
        facts = await engine.open(model)
        documents = {size: make_picture(size) for size in (SMALL, LARGE)}
        layers = {
            size: add_ai_layer(document, model, 1, steps=STEPS, depth=DEPTH)
            for size, document in documents.items()
        }
        figures = await _measure_calls(engine, documents[SMALL], layers[SMALL], facts)
        figures |= await _measure_times(engine, documents, layers, facts, repeats)
        figures |= await _measure_cancel(engine, documents[SMALL], layers[SMALL], facts, repeats)
        figures["exact"] = await _check_exactness(engine, documents[SMALL], layers[SMALL], facts)
        return {"open_seconds": round(facts.seconds, 3), "device": facts.device, **figures}


async def _measure_calls(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened
) -> dict[str, Any]:
    """Network calls of the first stroke on a picture and of the next one."""
    merge = STEPS - TAIL
    first = await time_stroke(engine, document, layer, facts)
    second = await time_stroke(engine, document, _with_seed(document, layer, 2), facts)
    depth = round(DEPTH * merge)
    calls = {"first_stroke": first.facts["calls"], "next_stroke": second.facts["calls"]}
    return {"calls": {"depth_n": depth, "bar": depth + TAIL, **calls}}


async def _measure_times(
    engine: Engine,
    documents: dict[Size, Document],
    layers: dict[Size, AiLayer],
    facts: ModelOpened,
    repeats: int,
) -> dict[str, Any]:
    """Strokes on the small and on the large canvas by turns, so that both see the same load."""
    finals: dict[Size, list[float]] = {size: [] for size in documents}
    previews: list[float] = []
    for turn in range(repeats + 1):
        for size, document in documents.items():
            seeded = _with_seed(document, layers[size], 10 + turn)
            stroke = await time_stroke(engine, document, seeded, facts)
            if turn:
                finals[size].append(stroke.final)
                previews.append(stroke.preview)
    ratio = float(np.median(finals[LARGE]) / np.median(finals[SMALL]))
    return {
        "to_first_preview_ms": {**milliseconds(previews), "bar": 250},
        "to_final_ms": {**milliseconds(finals[SMALL]), "bar": 1000},
        "to_final_on_4096_ms": milliseconds(finals[LARGE]),
        "ratio_4096_to_512": {"value": round(ratio, 3), "bar": 1.3},
    }


async def _measure_cancel(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened, repeats: int
) -> dict[str, Any]:
    """Time from cancel, at different moments of a step, to a free worker; and a step's length."""
    waits, steps = [], []
    for turn in range(repeats):
        seeded = _with_seed(document, layer, 100 + turn)
        stroke = await time_stroke(engine, document, seeded, facts)
        steps += list(np.diff(stroke.steps))
        delay = float(np.median(steps)) * (turn + 0.5) / repeats
        long = replace(seeded, recipe=seeded.recipe.with_params(steps=100))
        waits.append(await time_cancel(engine, document, long, facts, delay))
    return {"cancel_to_idle_ms": milliseconds(waits), "one_step_ms": milliseconds(steps)}


async def _check_exactness(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened
) -> dict[str, bool]:
    """Check claims about pixels that must hold to the last bit."""
    seeded = _with_seed(document, layer, 7)
    await time_stroke(engine, document, seeded, facts)
    shown = flatten(document.root, document.bounds)
    result = _find_layer(document, layer)
    alpha = result.tiles.read(document.bounds)[..., 3]
    document.replace("Hide", replace(result, visible=False))
    hidden = flatten(document.root, document.bounds)
    document.replace("Show", result)
    await time_stroke(engine, document, _with_seed(document, layer, 8), facts)
    await time_stroke(engine, document, _with_seed(document, layer, 7), facts)
    again = _find_layer(document, layer)
    original = flatten(make_picture(document.size).root, document.bounds)
    return {
        "hidden_is_the_original": bool(np.array_equal(hidden, original)),
        "outside_the_mask_is_untouched": bool((shown == original)[alpha == 0].all()),
        "something_changed_inside": bool((shown != original).any()),
        "same_recipe_twice": bool(
            np.array_equal(again.tiles.read(document.bounds), result.tiles.read(document.bounds))
        ),
    }


def _find_layer(document: Document, layer: AiLayer) -> AiLayer:
    found = document.find(layer.id)
    assert isinstance(found, AiLayer)
    return found


def _with_seed(document: Document, layer: AiLayer, seed: int) -> AiLayer:
    """The layer as it is in the document, with another seed."""
    now = _find_layer(document, layer)
    changed = replace(now, recipe=replace(now.recipe, seed=seed))
    document.replace("Seed", changed)
    return changed
