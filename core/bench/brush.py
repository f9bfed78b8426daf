"""The layered diffusion brush: calls, time to see it, cost against canvas size, exactness."""

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.bench.registry import benches
from core.bench.strokes import (
    ai_layer,
    picture,
    running_engine,
    storybook,
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
    """What an AI stroke costs, with the bars of the project."""

    id: ClassVar[str] = "brush"
    label: ClassVar[str] = "AI brush"

    def run(self, quick: bool) -> dict[str, Any]:
        from core.bench.peer import compare_with_peer

        with storybook() as (model, named):
            figures = asyncio.run(_all(model, 3 if quick else 15))
        return {
            "model": named,
            **figures,
            "peer": asyncio.run(compare_with_peer(1 if quick else 3)),
        }


async def _all(model: str, repeats: int) -> dict[str, Any]:
    async with running_engine() as engine:
        facts = await engine.open(model)
        documents = {size: picture(size) for size in (SMALL, LARGE)}
        layers = {
            size: ai_layer(document, model, 1, steps=STEPS, depth=DEPTH)
            for size, document in documents.items()
        }
        figures = await _calls(engine, documents[SMALL], layers[SMALL], facts)
        figures |= await _times(engine, documents, layers, facts, repeats)
        figures |= await _cancel(engine, documents[SMALL], layers[SMALL], facts, repeats)
        figures["exact"] = await _exact(engine, documents[SMALL], layers[SMALL], facts)
        return {"open_seconds": round(facts.seconds, 3), "device": facts.device, **figures}


async def _calls(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened
) -> dict[str, Any]:
    """Network calls of the first stroke on a picture and of the next one."""
    merge = STEPS - TAIL
    first = await time_stroke(engine, document, layer, facts)
    second = await time_stroke(engine, document, _with_seed(document, layer, 2), facts)
    depth = round(DEPTH * merge)
    calls = {"first_stroke": first.facts["calls"], "next_stroke": second.facts["calls"]}
    return {"calls": {"depth_n": depth, "bar": depth + TAIL, **calls}}


async def _times(
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


async def _cancel(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened, repeats: int
) -> dict[str, Any]:
    """From cancel, at different moments of a step, to a free worker; beside a step's length."""
    waits, steps = [], []
    for turn in range(repeats):
        seeded = _with_seed(document, layer, 100 + turn)
        stroke = await time_stroke(engine, document, seeded, facts)
        steps += list(np.diff(stroke.steps))
        delay = float(np.median(steps)) * (turn + 0.5) / repeats
        long = replace(seeded, recipe=seeded.recipe.with_params(steps=100))
        waits.append(await time_cancel(engine, document, long, facts, delay))
    return {"cancel_to_idle_ms": milliseconds(waits), "one_step_ms": milliseconds(steps)}


async def _exact(
    engine: Engine, document: Document, layer: AiLayer, facts: ModelOpened
) -> dict[str, bool]:
    """Claims about pixels that must hold to the last bit."""
    seeded = _with_seed(document, layer, 7)
    await time_stroke(engine, document, seeded, facts)
    shown = flatten(document.root, document.bounds)
    result = _now(document, layer)
    alpha = result.tiles.read(document.bounds)[..., 3]
    document.replace("Hide", replace(result, visible=False))
    hidden = flatten(document.root, document.bounds)
    document.replace("Show", result)
    await time_stroke(engine, document, _with_seed(document, layer, 8), facts)
    await time_stroke(engine, document, _with_seed(document, layer, 7), facts)
    again = _now(document, layer)
    original = flatten(picture(document.size).root, document.bounds)
    return {
        "hidden_is_the_original": bool(np.array_equal(hidden, original)),
        "outside_the_mask_is_untouched": bool((shown == original)[alpha == 0].all()),
        "something_changed_inside": bool((shown != original).any()),
        "same_recipe_twice": bool(
            np.array_equal(again.tiles.read(document.bounds), result.tiles.read(document.bounds))
        ),
    }


def _now(document: Document, layer: AiLayer) -> AiLayer:
    found = document.find(layer.id)
    assert isinstance(found, AiLayer)
    return found


def _with_seed(document: Document, layer: AiLayer, seed: int) -> AiLayer:
    """The layer as it is in the document, with another seed."""
    now = _now(document, layer)
    changed = replace(now, recipe=replace(now.recipe, seed=seed))
    document.replace("Seed", changed)
    return changed
