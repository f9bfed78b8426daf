"""Driving techniques in-process, and a random network to drive them with."""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from core import params
from core.diffusion.attention import AttentionCall, FeatureTap
from core.diffusion.cache import TensorCache
from core.diffusion.model import (
    Conditioning,
    Denoise,
    Image,
    KnownRegion,
    Level,
    Levels,
    Prediction,
    Step,
)
from core.task import Recipe, Task

SIDE = 64


def task_of(technique: Any, seed: int = 1, **changes: Any) -> Task[Any]:
    """A 64 px picture of gradients with a square of 32 px to edit in its middle."""
    values = technique.Params(**changes)
    recipe = Recipe(technique.id, params.to_json(values), "toy", seed=seed)
    y, x = np.mgrid[:SIDE, :SIDE] / np.float32(SIDE)
    image = np.stack([x, y, 1 - x], axis=2).astype(np.float32)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[16:48, 16:48] = 1
    return Task(recipe, values, image, mask)


def finished(run: Generator[Step, None, Image]) -> tuple[list[Step], Image]:
    steps: list[Step] = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as end:
            return steps, end.value


def edited(technique: Any, model: Any, task: Task[Any]) -> Image:
    return finished(technique().run(task, model))[1]


class RandomModel:
    """A random convolution as a Model: it sees neighbours, prompts and the inpainting hint."""

    id = "random"
    label = "Random"
    native = 64
    factor = 4
    multiple = 8
    channels = 3
    identity = "random"

    def __init__(self, *capabilities: str) -> None:
        self.capabilities = frozenset(capabilities)
        self.calls = 0
        self.notes: list[str] = []
        self.cache = TensorCache()
        self.hints: list[KnownRegion | None] = []
        state = torch.random.get_rng_state()
        torch.manual_seed(0)
        self._inner = torch.nn.Conv2d(5, 16, 5, padding=2).requires_grad_(False)
        self._outer = torch.nn.Conv2d(16, 3, 5, padding=2).requires_grad_(False)
        torch.random.set_rng_state(state)

    def levels(self, steps: int) -> Levels:
        angles = np.linspace(1.5, 0.03, steps + 1)
        return tuple(Level(float(np.cos(a)), float(np.sin(a)), float(a)) for a in angles)

    def encode(self, image: Image) -> Tensor:
        return avg_pool2d(torch.from_numpy(image).permute(2, 0, 1)[None] * 2 - 1, self.factor)

    def decode(self, z: Tensor) -> Image:
        pixels = interpolate((z + 1) / 2, scale_factor=self.factor).clamp(0, 1)
        return np.ascontiguousarray(pixels[0].permute(1, 2, 0).numpy())

    def preview(self, z: Tensor) -> Image:
        return self.decode(z)

    def embed(self, prompts: Sequence[str]) -> Conditioning:
        tokens = [[[sum(map(ord, prompt)) % 97 / 48.5 - 1]] for prompt in prompts]
        return Conditioning(tuple(prompts), torch.tensor(tokens))

    def denoiser(self, prompt: str | Conditioning, known: KnownRegion | None = None) -> Denoise:
        told = self.embed([prompt]) if isinstance(prompt, str) else prompt
        self.hints.append(known)

        def denoise(z: Tensor, level: Level, label: Level | None = None) -> Prediction:
            self.calls += 1
            planes = torch.ones_like(z[:, :2]) * torch.stack(
                [torch.tensor((label or level).noise), told.tokens[0, 0, 0]]
            ).view(1, 2, 1, 1)
            eps: Tensor = self._outer(torch.tanh(self._inner(torch.cat([z, planes], 1))))
            return Prediction((z - level.noise * eps) / level.signal, eps)

        return denoise

    def attention(self, control: AttentionCall) -> AbstractContextManager[None]:
        return nullcontext()

    def features(self, tap: FeatureTap) -> AbstractContextManager[None]:
        return nullcontext()

    def pieces(self, prompt: str) -> tuple[str, ...]:
        return tuple(prompt.split())
