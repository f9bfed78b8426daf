"""SuperDiff: two prompts or models in one picture, weighed by how likely each finds it."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.cross_model import at_levels_of_another, refuse_foreign
from core.diffusion.guidance import guide
from core.diffusion.latent_masks import check_finite, last_steps, soft_latent_mask
from core.diffusion.model import Denoise, Image, Level, Model, Step
from core.editing.inversion import invertible_levels
from core.params import Choice, ModelName, Range, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

PredictNoise = Callable[["Tensor", Level], "Tensor"]
"""The noise predicted in a latent, in rows: with either prompt, then unconditional per model."""
OTHER = (
    "It is told the second prompt or, without one, the prompt; every step then asks both models. "
    "It must share its latents with the first."
)


@techniques.register
class SuperDiff:
    """Paint what two prompts or models agree on, or what fits (SuperDiff, arXiv 2412.17762).

    The log-density of the picture under each prompt, and by its own model where there are two,
    is carried along the walk by the Ito estimate. And: both grow alike. Or: the likelier leads.
    """

    id: ClassVar[str] = "superdiff"
    label: ClassVar[str] = "Blend two prompts or models"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Text("Prompt", lines=2)] = ""
        second_prompt: Annotated[str, Text("Second prompt", lines=2)] = ""
        second_model: Annotated[str, ModelName("Second model", OTHER, "The same model")] = ""
        mode: Annotated[
            str, Choice(("and", "or"), "Show", help="And: both at once. Or: whichever fits.")
        ] = "and"
        strength: Annotated[float, Range(0, 1, "Strength", step=0.05)] = 1.0
        guidance: Annotated[float, Range(1, 20, "Guidance scale", step=0.5)] = 7.5
        negative_prompt: Annotated[str, Text("Negative prompt")] = ""
        bias: Annotated[
            float, Range(-1000, 1000, "Bias", step=1, help="Log-odds for the first prompt.")
        ] = 0.0
        sharpness: Annotated[
            float, Range(0, 10, "Sharpness", step=0.1, help="Of the choice in Or.")
        ] = 1.0
        steps: Annotated[int, Range(2, 200, "Steps")] = 50

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        whole = invertible_levels(model.levels(params.steps))
        levels = last_steps(whole, params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        predict, noise = make_denoisers(task, model, x0), task.noise(x0)
        mask = soft_latent_mask(task.mask, x0)
        blend = Blend(params, mask, len(levels) - 1)
        z = levels[0].mix(x0, noise) if params.strength < 1 else noise
        for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
            noises = predict(z, here)
            move = StepChange.from_levels(here, there, task.noise(x0, "walk", i))
            eps = blend.mix(noises, move)
            clean = (z - here.noise * eps) / here.signal
            z = there.signal * (z / here.signal + move.along(eps))
            blend.follow(noises, move, move.along(eps))
            z = there.mix(x0, noise).lerp(z, mask) if there.noise else x0.lerp(z, mask)
            yield Step(i + 1, len(levels) - 1, clean)
        return model.decode(z)


def make_denoisers(task: "Task[SuperDiff.Params]", model: Model, x0: "Tensor") -> PredictNoise:
    """Both prompts' networks, which may be one. Raises TechniqueError for models unlike in kind."""
    params = task.params
    other = task.models["second_model"] if params.second_model else None
    first, negative = params.prompt, params.negative_prompt
    second = params.second_prompt if other is None else params.second_prompt.strip() or first
    if other is None or other.identity == model.identity:
        alone = check_finite(model.denoiser(model.embed([first, second, negative])))
        return lambda z, level: alone(z, level).eps
    refuse_foreign(model, other, task.image, x0)
    theirs = other.denoiser(other.embed([second, negative]))
    return of_both(
        check_finite(model.denoiser(model.embed([first, negative]))),
        check_finite(at_levels_of_another(other, theirs, params.steps)),
    )


def of_both(model: Denoise, other: Denoise) -> PredictNoise:
    """Two networks, each with its prompt and unconditional, in the order that a Blend wants."""
    import torch

    def predict(z: "Tensor", level: Level) -> "Tensor":
        rows = [network(z, level).eps.to(z) for network in (model, other)]
        return torch.cat([row[part] for part in (slice(1), slice(1, None)) for row in rows])

    return predict


@dataclass(frozen=True)
class StepChange:
    """One stochastic step of latents in units of their signal, from noise sigma downwards.

    ``drift`` is the integral of half the squared diffusion, ``fresh`` the noise that is added;
    both make the step exact for what the network sees as clean.
    """

    sigma: float
    drift: float
    fresh: "Tensor"

    @staticmethod
    def from_levels(here: Level, there: Level, noise: "Tensor") -> "StepChange":
        sigma = here.noise / here.signal
        ratio = there.noise / there.signal / sigma
        lost = 1 - ratio * ratio
        return StepChange(sigma, sigma * lost / 2, sigma * ratio * math.sqrt(lost) * noise)

    def along(self, eps: "Tensor") -> "Tensor":
        """How latents change when the network predicts eps, (b, c, h, w) float, unbounded."""
        return self.fresh - 2 * self.drift * eps

    def gain(self, eps: "Tensor", change: "Tensor", mask: "Tensor") -> "Tensor":
        """The Ito estimate of how log-densities grow, one per row of eps, in the masked cells."""
        inner = change * eps + self.drift * eps.square()
        return -(inner * mask).flatten(1).sum(1) / self.sigma


class Blend:
    """The weight of the first prompt, step by step; ``densities`` are logarithms.

    With predictions c1, c2 of the prompts, unconditional ones u1, u2 (the same where both prompts
    have the same model), a guidance s and a weight k, the latents follow

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

    def mix(self, noises: "Tensor", move: StepChange) -> "Tensor":
        """The guided noise of both prompts.

        noises: those of the prompts, then the unconditional ones, (n, c, h, w) float, unbounded.
        """
        if self.params.mode == "and":
            rest = self._second(noises, noises[2:].mean(0, keepdim=True))
            share = self._equal(noises, rest, move)
        else:
            share = self._likelier()
            rest = self._second(noises, noises[-1:].lerp(noises[2:3], share))
        return rest + self.params.guidance * share * (noises[:1] - noises[1:2])

    def _second(self, noises: "Tensor", uncond: "Tensor") -> "Tensor":
        """The second prompt alone, guided."""
        return guide(uncond, noises[1:2], self.params.guidance)

    def follow(self, noises: "Tensor", move: StepChange, change: "Tensor") -> None:
        """The step was taken: both densities have grown."""
        self.densities = self.densities + move.gain(noises[:2], change, self.mask)

    def _likelier(self) -> "Tensor":
        odds = self.densities[0] - self.densities[1] + self.params.bias
        return (self.params.sharpness * odds).sigmoid()

    def _equal(self, noises: "Tensor", rest: "Tensor", move: StepChange) -> "Tensor":
        """The weight with which both densities grow alike, and the first by its bias more."""
        apart = noises[:1] - noises[1:2]
        gains = move.gain(noises[:2], move.along(rest), self.mask)
        lacking = gains[1] - gains[0] + self.params.bias / self.steps
        power = (apart.square() * self.mask).sum()
        pull = 2 * move.drift * self.params.guidance * power / move.sigma
        return lacking / pull.clamp(min=1e-12)
