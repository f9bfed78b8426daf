"""Nested Diffusion: a sampler whose previews are finished pictures."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.latent_masks import check_finite, known_region, last_steps, soft_latent_mask
from core.diffusion.model import Denoise, Image, Levels, Model, Step
from core.diffusion.noise_schedule import levels_from
from core.params import Prompt, Range, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task


@techniques.register
class NestedDiffusion:
    """Generate with previews that look finished (Nested Diffusion, arXiv 2305.19066).

    Each of a few outer steps paints a whole picture in several inner steps, shows it, and goes on
    from it: stop whenever you like what you see.
    """

    id: ClassVar[str] = "nested-diffusion"
    label: ClassVar[str] = "Generate, stop any time"
    paper: ClassVar[Paper | None] = Paper("Nested Diffusion", "2305.19066")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        strength: Annotated[float, Strength(0, 1, "Strength", step=0.05)] = 1.0
        steps: Annotated[int, Steps(1, 20, "Steps", help="Pictures on the way.")] = 5
        inner_steps: Annotated[int, Range(1, 50, "Steps of each picture")] = 20
        variation: Annotated[
            float, Range(0, 1, "Variation", step=0.05, help="Fresh noise in the inner steps.")
        ] = 0.85

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = last_steps(model.levels(params.steps), params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        noise, mask = task.noise(x0), soft_latent_mask(task.mask, x0)
        known = known_region(model, mask, x0) if bool((mask < 1).any()) else None
        painting = NestedRun(
            task, model, check_finite(model.denoiser(params.prompt, known)), levels
        )
        z = levels[0].mix(x0, noise)
        if params.strength == 1:
            z = noise * math.hypot(levels[0].signal, levels[0].noise)
        for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
            clean = yield from painting.sample(z, i)
            z = there.mix(clean, (z - here.signal * clean) / here.noise)
            outside = there.mix(x0, noise) if there.noise else x0
            z = outside.lerp(z, mask)
        return model.decode(z)


class NestedRun:
    """The inner walks, one from every outer level; steps are numbered through all of them."""

    def __init__(
        self,
        task: "Task[NestedDiffusion.Params]",
        model: Model,
        denoise: Denoise,
        levels: Levels,
    ) -> None:
        self.task = task
        self.denoise = denoise
        inner = task.params.inner_steps
        self.walks = [levels_from(model, level, inner) for level in levels[:-1]]
        self.total = sum(len(walk) - 1 for walk in self.walks)
        self.done = 0
        self.finished: Tensor | None = None

    def sample(self, z: "Tensor", i: int) -> "Generator[Step, None, Tensor]":
        """A clean latent from a noisy one; the steps show the clean latent before it.

        z: (1, c, h, w) float, unbounded. Returns the same shape and dtype.
        """
        walk, eta, clean = self.walks[i], self.task.params.variation, z
        for here, there in zip(walk, walk[1:], strict=False):
            prediction, sigma = self.denoise(z, here), step_sigma(here, there, eta)
            noise = self.task.noise(z, "inner", self.done)
            z = step_mean(prediction, here, there, eta) + sigma * noise
            clean, self.done = prediction.x0, self.done + 1
            if there is walk[-1]:
                self.finished = clean
            yield Step(self.done, self.total, clean if self.finished is None else self.finished)
        return clean
