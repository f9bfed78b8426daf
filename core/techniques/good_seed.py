"""Good seed: try several noises, keep what a verifier likes best."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core import catalog
from core.catalog import Paper, RegistryChoice, techniques, verifiers
from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.latent_masks import check_finite, last_steps, soft_latent_mask
from core.diffusion.model import Image, Levels, Model, Prediction, Step
from core.params import Choice, Prompt, Range, Steps, Strength
from core.scoring.case import Case

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

catalog.load("verifiers")
STEERED = (0.2, 0.8)
"""The part of the walk in which particles are resampled."""
INTERVAL = 0.1
"""Between two resamplings, as a share of the walk."""


@techniques.register
class GoodSeed:
    """Try several noises and keep the best (Inference-Time Scaling, arXiv 2501.09732).

    Bank: all are finished, the best is kept. Steering: on the way the promising ones multiply
    (Feynman-Kac steering, arXiv 2501.06848).
    """

    id: ClassVar[str] = "good-seed"
    label: ClassVar[str] = "Best of several"
    paper: ClassVar[Paper | None] = Paper("Inference-Time Scaling", "2501.09732")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        strength: Annotated[float, Strength(0, 1, "Strength", step=0.05)] = 1.0
        count: Annotated[int, Range(1, 16, "Noises tried")] = 4
        search: Annotated[str, Choice(("bank", "steering"), "Search")] = "bank"
        verifier: Annotated[str, RegistryChoice(verifiers, "Best is")] = "agreement"
        pressure: Annotated[
            float, Range(0, 100, "Pressure", step=1, help="Of the choice in steering.")
        ] = 10.0
        steps: Annotated[int, Steps(1, 100, "Steps")] = 20

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = last_steps(model.levels(params.steps), params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        z = yield from NoiseSearch(task, model, x0, levels).walk()
        return model.decode(z)


class NoiseSearch:
    """Several latents walk down together."""

    def __init__(
        self, task: "Task[GoodSeed.Params]", model: Model, x0: "Tensor", levels: Levels
    ) -> None:
        self.task = task
        self.params = task.params
        self.levels = levels
        self.x0 = x0
        self.mask = soft_latent_mask(task.mask, x0)
        self.denoise = check_finite(
            model.denoiser(model.embed([task.params.prompt] * self.params.count))
        )
        self.verify = verifiers[self.params.verifier]().judge(Case(task, model, x0, self.mask))
        self.rewards = x0.new_zeros(self.params.count)

    def walk(self) -> "Generator[Step, None, Tensor]":
        """Walk to the end; returns the best latent, (1, c, h, w) float, unbounded."""
        noise, levels = self.draw_noises(), self.levels
        z, last, best = self._start(noise), len(levels) - 2, 0
        for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
            prediction = self.denoise(z, here)
            z = self._step(prediction, i)
            outside = there.mix(self.x0, noise) if there.noise else self.x0
            z = outside.lerp(z, self.mask)
            if i == last:
                best = self.best_row(z)
            elif self._is_resampling_step(i):
                z, noise = self._resample(prediction.x0, i, z, noise)
            yield Step(i + 1, last + 1, prediction.x0[best : best + 1])
        return z[best : best + 1]

    def draw_noises(self) -> "Tensor":
        """The seed's own noise first, then others; a larger bank holds the smaller one.

        Returns (count, c, h, w) float, standard normal.
        """
        import torch

        others = [self.task.noise(self.x0, "bank", n) for n in range(1, self.params.count)]
        return torch.cat([self.task.noise(self.x0), *others])

    def _start(self, noise: "Tensor") -> "Tensor":
        level = self.levels[0]
        if self.params.strength < 1:
            return level.mix(self.x0, noise)
        return noise * math.hypot(level.signal, level.noise)

    def _step(self, prediction: Prediction, i: int) -> "Tensor":
        """A DDIM step in a bank; steering needs noise on the way."""
        here, there = self.levels[i : i + 2]
        if self.params.search == "bank":
            return prediction.at(there)
        noise = self.task.noise(prediction.x0, "steer", i)
        return step_mean(prediction, here, there) + step_sigma(here, there) * noise

    def best_row(self, z: "Tensor") -> int:
        """Which clean latent of z the verifier scores highest. (n, c, h, w) float, unbounded."""
        if self.params.count == 1:
            return 0
        return int(self.verify(z).argmax())

    def _is_resampling_step(self, i: int) -> bool:
        """Whether particles are resampled after step i."""
        if self.params.search == "bank" or self.params.count == 1:
            return False
        steps = len(self.levels) - 1
        interval = max(1, round(INTERVAL * steps))
        return STEERED[0] * steps <= i < STEERED[1] * steps and i % interval == 0

    def _resample(
        self, x0: "Tensor", i: int, z: "Tensor", noise: "Tensor"
    ) -> "tuple[Tensor, Tensor]":
        """Draw particles anew, in proportion to how much their reward has grown."""
        rewards = self.verify(x0)
        weights = (self.params.pressure * (rewards - self.rewards)).softmax(0)
        rows = sample_rows(weights, self.task.noise(weights[:, None, None, None], "choice", i))
        self.rewards = rewards[rows]
        return z[rows], noise[rows]


def sample_rows(weights: "Tensor", noise: "Tensor") -> "Tensor":
    """As many row indices as there are weights, drawn in proportion to them.

    weights: (n,) float, 0..1, with sum 1; noise: n values, standard normal. Returns (n,) int64.
    """
    import torch

    chances = (1 + torch.erf(noise.flatten() / math.sqrt(2))) / 2
    rows = torch.searchsorted(weights.cumsum(0).contiguous(), chances.contiguous())
    return rows.clamp(max=len(weights) - 1)
