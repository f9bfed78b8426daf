"""An engine with short patience and a closed end, and requests for it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from core.ai.layer import Request
from core.engine.engine import Engine, Patience
from core.engine.task import Recipe
from core.geometry import Rect

QUICK = Patience(tick=0.05, start=120, silence=2.0, step=1.0, load=120, cancel=2.0)
SIDE = 96

Ask = Callable[..., Request]
Running = Callable[..., Any]


def _ask(technique: str, seed: int = 0, side: int = SIDE, **params: Any) -> Request:
    """A request to edit the middle of a gradient with the toy model."""
    modifiers = params.pop("modifiers", ())
    model = params.pop("model", "toy")
    y, x = np.mgrid[:side, :side] * 255 // side
    crop = np.stack([x, y, 255 - x], axis=2).astype(np.uint8)
    painted = np.zeros((side, side), np.uint8)
    middle = Rect(side // 3, side // 3, side // 3, side // 3)
    painted[middle.slices] = 255
    recipe = Recipe(technique, params, model, modifiers, seed)
    return Request("layer", recipe, Rect(0, 0, side, side), middle, crop, painted, "key")


@pytest.fixture
def ask() -> Ask:
    return _ask


@pytest.fixture
def running() -> Running:
    """``async with running() as engine``: closed at the end, whatever happens."""

    @asynccontextmanager
    async def run(patience: Patience = QUICK, **options: Any) -> AsyncIterator[Engine]:
        modules = ("tests.core.engine.oddities",)
        engine = Engine(device="cpu", patience=patience, modules=modules, **options)
        engine.start()
        try:
            yield engine
        finally:
            engine.close()

    return run
