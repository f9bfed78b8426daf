"""SuperDiff: two prompts or models in one picture, weighted by how likely each finds it."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.cross_model import at_levels_of_another, refuse_foreign
from core.diffusion.guidance import guide
from core.diffusion.latent_masks import check_finite, last_steps, soft_latent_mask
from core.diffusion.model import Denoise, Image, Level, Model, Step
from core.editing.inversion import invertible_levels, levels_with_signal
from core.params import (
    Choice,
    Guidance,
    ModelName,
    NegativePrompt,
    Prompt,
    Range,
    Steps,
    Strength,
    Text,
)

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

PredictRows = Callable[["Tensor", Level], "Tensor"]
"""The noise predicted in a latent, in rows: for both prompts, then unconditional once a model."""
OTHER = (
    "It is told the second prompt or, without one, the prompt; every step then asks both models. "
    "It must share its latents with the first."
)


@techniques.register
class SuperDiff:
    """Paint what two prompts or models agree on, or what fits (SuperDiff, arXiv 2412.17762).

    The log-density of the latent under each prompt, by each prompt's own model if there are two,
    is estimated along the walk with the Ito density estimator. And: both densities grow alike. Or:
    the likelier prompt leads.
    """

    id: ClassVar[str] = "superdiff"
    label: ClassVar[str] = "Blend two prompts or models"
    paper: ClassVar[Paper | None] = Paper("SuperDiff", "2412.17762")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        second_prompt: Annotated[str, Text("Second prompt", lines=2)] = ""
        second_model: Annotated[str, ModelName("Second model", OTHER, "The same model")] = ""
        mode: Annotated[
            str, Choice(("and", "or"), "Show", help="And: both at once. Or: whichever fits.")
        ] = "and"
        strength: Annotated[float, Strength(0, 1, "Strength", step=0.05)] = 1.0
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 7.5
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
        bias: Annotated[
            float, Range(-1000, 1000, "Bias", step=1, help="Log-odds for the first prompt.")
        ] = 0.0
        sharpness: Annotated[
            float, Range(0, 10, "Sharpness", step=0.1, help="Of the choice in Or.")
        ] = 1.0
        steps: Annotated[int, Steps(2, 200, "Steps")] = 50

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        whole = levels_with_signal(invertible_levels(model.levels(params.steps)))
        levels = last_steps(whole, params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        predict, noise = make_denoisers(task, model, x0), task.noise(x0)
        mask = soft_latent_mask(task.mask, x0)
        blend = Blend(params, mask, len(levels) - 1)
        z = levels[0].mix(x0, noise) if params.strength < 1 else noise
        for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
            rows = predict(z, here)
            move = StepChange.from_levels(here, there, task.noise(x0, "walk", i))
            eps = blend.mix(rows, move)
            clean = (z - here.noise * eps) / here.signal
            z = there.signal * (z / here.signal + move.along(eps))
            blend.follow(rows, move, move.along(eps))
            z = there.mix(x0, noise).lerp(z, mask) if there.noise else x0.lerp(z, mask)
            yield Step(i + 1, len(levels) - 1, clean)
        return model.decode(z)


def make_denoisers(task: "Task[SuperDiff.Params]", model: Model, x0: "Tensor") -> PredictRows:
    """Both prompts' networks, which may be one.

    x0: (1, c, h, w) float, unbounded. Raises TechniqueError for models with unlike latents.
    """
    params = task.params
    other = task.models["second_model"] if params.second_model else None
    first, negative = params.prompt, params.negative_prompt
    second = params.second_prompt if other is None else params.second_prompt.strip() or first
    if other is None or other.identity == model.identity:
        single = check_finite(model.denoiser(model.embed([first, second, negative])))
        return lambda z, level: single(z, level).eps
    refuse_foreign(model, other, task.image, x0)
    theirs = other.denoiser(other.embed([second, negative]))
    return join_denoisers(
        check_finite(model.denoiser(model.embed([first, negative]))),
        check_finite(at_levels_of_another(other, theirs, params.steps)),
    )


def join_denoisers(model: Denoise, other: Denoise) -> PredictRows:
    """Two networks, each with its prompt and without it, in the order that a Blend wants."""
    import torch

    def predict(z: "Tensor", level: Level) -> "Tensor":
        pairs = [network(z, level).eps.to(z) for network in (model, other)]
        return torch.cat([pair[part] for part in (slice(1), slice(1, None)) for pair in pairs])

    return predict


@dataclass(frozen=True)
class StepChange:
    """One stochastic step of latents in units of their signal, from noise sigma downwards.

    ``drift`` is the integral of half the squared diffusion, ``fresh`` the noise that is added;
    both make the step exact for the clean latent that the network predicts.
    """

    sigma: float
    drift: float
    fresh: "Tensor"

    @staticmethod
    def from_levels(here: Level, there: Level, noise: "Tensor") -> "StepChange":
        """The step between two levels with a noise (1, c, h, w) float, standard normal."""
        sigma = here.noise / here.signal
        ratio = there.noise / there.signal / sigma
        lost = 1 - ratio * ratio
        return StepChange(sigma, sigma * lost / 2, sigma * ratio * math.sqrt(lost) * noise)

    def along(self, eps: "Tensor") -> "Tensor":
        """How latents change for a predicted noise.

        eps: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
        """
        return self.fresh - 2 * self.drift * eps

    def gain(self, eps: "Tensor", change: "Tensor", mask: "Tensor") -> "Tensor":
        """The Ito estimate of how log-densities grow, one per row of eps, in the masked cells.

        eps: (n, c, h, w) float, unbounded; change: (1, c, h, w) alike; mask: (1, 1, h, w), 0..1.
        Returns (n,) float, unbounded.
        """
        inner = change * eps + self.drift * eps.square()
        return -(inner * mask).flatten(1).sum(1) / self.sigma


class Blend:
    """The weight of the first prompt, step by step; ``densities`` are logarithms.

    With the conditional noises c1, c2 of the prompts, the unconditional ones u1, u2 (the same where
    both prompts have the same model), a guidance s and a weight k, the latents follow

        u + s (k c1 + (1 - k) c2 - u)

    as published, where u was one. Or takes u = k u1 + (1 - k) u2, so that the model that leads is
    guided by its own. And takes the mean: k = 1/2 is then the mean of both guided models, and
    since k moves along c1 - c2 alone, the least change of it that lets both densities grow alike.
    With a u that moves with k, And would have no answer where the guided models differ at right
    angles to c1 - c2.
    """

    def __init__(self, params: SuperDiff.Params, mask: "Tensor", steps: int) -> None:
        self.params = params
        self.mask = mask
        self.steps = steps
        self.densities = mask.new_zeros(2)

    def mix(self, rows: "Tensor", move: StepChange) -> "Tensor":
        """The guided noise of both prompts, (1, c, h, w).

        rows: (n, c, h, w) float, unbounded, as PredictRows orders them: 3 of one model, 4 of two.
        """
        if self.params.mode == "and":
            rest = self._guide_second(rows, rows[2:].mean(0, keepdim=True))
            share = self._weight_of_equal_growth(rows, rest, move)
        else:
            share = self._weight_of_likelier()
            rest = self._guide_second(rows, rows[-1:].lerp(rows[2:3], share))
        return rest + self.params.guidance * share * (rows[:1] - rows[1:2])

    def _guide_second(self, rows: "Tensor", uncond: "Tensor") -> "Tensor":
        """The second prompt alone, guided."""
        return guide(uncond, rows[1:2], self.params.guidance)

    def follow(self, rows: "Tensor", move: StepChange, change: "Tensor") -> None:
        """Let both densities grow by a step that was taken.

        rows: (n, c, h, w) float, unbounded, of which the prompts' are first; change: (1, c, h, w).
        """
        self.densities = self.densities + move.gain(rows[:2], change, self.mask)

    def _weight_of_likelier(self) -> "Tensor":
        odds = self.densities[0] - self.densities[1] + self.params.bias
        return (self.params.sharpness * odds).sigmoid()

    def _weight_of_equal_growth(self, rows: "Tensor", rest: "Tensor", move: StepChange) -> "Tensor":
        """The weight with which both densities grow alike, and the first by its bias more."""
        apart = rows[:1] - rows[1:2]
        gains = move.gain(rows[:2], move.along(rest), self.mask)
        lacking = gains[1] - gains[0] + self.params.bias / self.steps
        power = (apart.square() * self.mask).sum()
        pull = 2 * move.drift * self.params.guidance * power / move.sigma
        return lacking / pull.clamp(min=1e-12)
