"""SuperDiff: two prompts in one picture, weighed by how likely each finds it."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion import Image, Level, Model, Step
from core.inversion import walkable
from core.latents import checked, last_part, soft_latent_mask
from core.params import Choice, Range, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.engine.task import Task


@techniques.register
class SuperDiff:
    """Paint what two prompts agree on, or the one that fits (SuperDiff, arXiv 2412.17762).

    The log-density of the picture under each prompt is carried along the walk by the Ito
    estimate. And: both grow alike. Or: the likelier prompt leads.
    """

    id: ClassVar[str] = "superdiff"
    label: ClassVar[str] = "Blend two prompts"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Text("Prompt", lines=2)] = ""
        second_prompt: Annotated[str, Text("Second prompt", lines=2)] = ""
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
        whole = walkable(model.levels(params.steps))
        levels = last_part(whole, params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        words = model.embed([params.prompt, params.second_prompt, params.negative_prompt])
        denoise, noise = checked(model.denoiser(words)), task.noise(x0)
        mask = soft_latent_mask(task.mask, x0)
        blend = Blend(params, mask, len(levels) - 1)
        z = levels[0].mix(x0, noise) if params.strength < 1 else noise
        for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
            said = denoise(z, here).eps
            move = Move.between(here, there, task.noise(x0, "walk", i))
            eps = blend.mixed(said, move)
            clean = (z - here.noise * eps) / here.signal
            z = there.signal * (z / here.signal + move.along(eps))
            blend.follow(said, move, move.along(eps))
            z = there.mix(x0, noise).lerp(z, mask) if there.noise else x0.lerp(z, mask)
            yield Step(i + 1, len(levels) - 1, clean)
        return model.decode(z)


@dataclass(frozen=True)
class Move:
    """One stochastic step of latents in units of their signal, from noise sigma downwards.

    ``drift`` is the integral of half the squared diffusion, ``fresh`` the noise that is added;
    both make the step exact for what the network sees as clean.
    """

    sigma: float
    drift: float
    fresh: "Tensor"

    @staticmethod
    def between(here: Level, there: Level, noise: "Tensor") -> "Move":
        sigma = here.noise / here.signal
        ratio = there.noise / there.signal / sigma
        lost = 1 - ratio * ratio
        return Move(sigma, sigma * lost / 2, sigma * ratio * math.sqrt(lost) * noise)

    def along(self, eps: "Tensor") -> "Tensor":
        """How latents change when the network says eps."""
        return self.fresh - 2 * self.drift * eps

    def gain(self, eps: "Tensor", change: "Tensor", mask: "Tensor") -> "Tensor":
        """The Ito estimate of how log-densities grow, one per row of eps, in the masked cells."""
        inner = change * eps + self.drift * eps.square()
        return -(inner * mask).flatten(1).sum(1) / self.sigma


class Blend:
    """The weight of the first prompt, step by step; ``densities`` are logarithms."""

    def __init__(self, params: SuperDiff.Params, mask: "Tensor", steps: int) -> None:
        self.params = params
        self.mask = mask
        self.steps = steps
        self.densities = mask.new_zeros(2)

    def mixed(self, said: "Tensor", move: Move) -> "Tensor":
        """The guided noise of both prompts; said is of the prompts and against them."""
        first, second, against = said.split_with_sizes([1, 1, 1])
        scale = self.params.guidance
        rest = against + scale * (second - against)
        share = self._equal(said, rest, move) if self.params.mode == "and" else self._likelier()
        return rest + scale * share * (first - second)

    def follow(self, said: "Tensor", move: Move, change: "Tensor") -> None:
        """The step was taken: both densities have grown."""
        self.densities = self.densities + move.gain(said[:2], change, self.mask)

    def _likelier(self) -> "Tensor":
        odds = self.densities[0] - self.densities[1] + self.params.bias
        return (self.params.sharpness * odds).sigmoid()

    def _equal(self, said: "Tensor", rest: "Tensor", move: Move) -> "Tensor":
        """The weight with which both densities grow alike, and the first by its bias more."""
        apart = said[:1] - said[1:2]
        gains = move.gain(said[:2], move.along(rest), self.mask)
        lacking = gains[1] - gains[0] + self.params.bias / self.steps
        power = (apart.square() * self.mask).sum()
        pull = 2 * move.drift * self.params.guidance * power / move.sigma
        return lacking / pull.clamp(min=1e-12)
