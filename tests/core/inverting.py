"""Driving inverters and prompt edits in-process, on a random network with attention."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from core import params
from core.editing.inversion import Branches, PathState, Source, invertible_levels
from core.editing.inversion import InvertedPath as Inverted
from core.editing.prompt_edit import EditStep, EditVariation, PromptEdit
from core.models.opening import open_model
from core.storybook.random_model import build_random
from core.task import Recipe, Task

if TYPE_CHECKING:
    from core.diffusion.model import Levels

SIDE = 64


@cache
def network() -> Any:
    """A tiny random Storybook: attention, gradients, 8 x 8 latents of a 64 px picture."""
    return open_model(str(build_random(Path(mkdtemp()) / "storybook")))


def task(technique: Any, seed: int = 1, **changes: Any) -> Task[Any]:
    """A 64 px picture of gradients, all of it to be edited."""
    values = technique.Params(**{"steps": 6, **changes})
    recipe = Recipe(technique.id, params.to_json(values), "storybook", seed=seed)
    y, x = np.mgrid[:SIDE, :SIDE] / np.float32(SIDE)
    image = np.stack([x, y, 1 - x], axis=2).astype(np.float32)
    return Task(recipe, values, image, np.ones((SIDE, SIDE), np.float32))


def result(technique: Any, model: Any, given: Task[Any]) -> Any:
    run = technique().run(given, model)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def kept(model: Any, given: Task[Any]) -> Any:
    """What an edit that changes nothing gives: the picture through the codec."""
    return model.decode(model.encode(given.image))


def batches(model: Any, patch: pytest.MonkeyPatch) -> list[int]:
    """Grows with the rows of each call of the network from now on; nothing is remembered."""
    seen: list[int] = []
    predict = model.predict

    def counted(z: torch.Tensor, *rest: Any) -> Any:
        seen.append(z.shape[0])
        return predict(z, *rest)

    patch.setattr(model, "predict", counted)
    model.cache.clear()
    return seen


def source(model: Any, x0: torch.Tensor, steps: int = 10, guidance: float = 1.0) -> Source:
    generator = torch.Generator().manual_seed(3)
    drawn: dict[tuple[str, int], torch.Tensor] = {}

    def noise(role: str, step: int) -> torch.Tensor:
        return drawn.setdefault((role, step), torch.randn(x0.shape, generator=generator).to(x0))

    levels: Levels = invertible_levels(model.levels(steps))
    empty = model.embed([""])
    return Source(model, x0, model.embed(["a red apple"]), levels, guidance, empty, noise)


def inverted(inverter: Any, given: Source) -> tuple[Inverted, int]:
    """The path, and how many clean latents were yielded on the way."""
    run, seen = inverter().run(given), 0
    while True:
        try:
            next(run)
            seen += 1
        except StopIteration as end:
            return end.value, seen


def drained(run: Any) -> Any:
    """What a generator returns at its end."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def replayed(path: Inverted, given: Source) -> torch.Tensor:
    """Walk the source alone down its path, guided as it says, to a clean latent."""
    state = path.begin(1)
    for i in range(len(path.levels) - 1):
        words = path.prompt_embeddings(i, given.embeddings)
        denoise = Branches(
            given.model, words, (given.guidance,), path.negative_embeddings(i) or given.negative
        )
        state, _ = path.step(i, state, denoise)
    return path.latent(state)


def step_at(edit: PromptEdit, index: int, scales: Sequence[float] = (7.5, 7.5)) -> EditStep:
    """A step of an edit as its walk down makes it."""
    negative = edit.model.embed([edit.params.negative_prompt])
    branches = Branches(edit.model, edit.prompt_embeddings(), scales, negative)
    return EditStep(index, edit.count, branches)


def states_of(variation: EditVariation) -> list[PathState]:
    """The state of an edit's branches after every step."""
    states: list[PathState] = []
    after = variation.after

    def watched(step: EditStep, state: PathState) -> PathState:
        states.append(after(step, state))
        return states[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variation, "after", watched)
        list(variation.edit.run(variation))
    return states


def error(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The largest difference in shares of the largest value."""
    return float((found - wanted).abs().max() / wanted.abs().max())
