"""Delta Denoising Score: change a picture by how two prompts' predictions of one noise differ."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import number_steps, soft_latent_mask
from core.diffusion.model import Image, Level, Levels, Model, Step
from core.editing.inversion import Branches, invertible_levels
from core.editing.prompt_warnings import warn_about_prompt
from core.params import Guidance, NegativePrompt, Prompt, Range, SourcePrompt, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.editing.prompt_edit import Walk
    from core.task import Task

LEVELS = 200
"""Steps of the walk from whose levels one is drawn at every iteration."""
NOISIEST, CLEANEST = 0.95, 0.05
"""Shares of the whole schedule between which levels are drawn."""
PUBLISHED_RATE = 0.1 * 2000 / 64**2
"""The published step for a cell of its 64 x 64 latents; of other sizes every cell moves alike."""


@techniques.register
class DeltaDenoisingScore:
    """Change as little as a few words ask for (Delta Denoising Score, arXiv 2304.07090).

    Gradient descent on the picture: at a random level, both prompts' opinions of one noise are
    compared, so that what is wrong with both cancels out.
    """

    id: ClassVar[str] = "dds"
    label: ClassVar[str] = "Change little"
    paper: ClassVar[Paper | None] = Paper("Delta Denoising Score", "2304.07090")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows", help="What is there now.")] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="The share of steps taken.")
        ] = 1.0
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 7.5
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
        rate: Annotated[float, Range(0, 4, "Step size", step=0.1)] = 1.0
        steps: Annotated[int, Steps(2, 300, "Steps")] = 200

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        count = max(1, round(params.strength * params.steps)) if params.strength > 0 else 0
        x0 = model.encode(task.image)
        z = yield from number_steps(_descent(task, model, x0, count), count)
        return model.decode(z)


def _descent(
    task: "Task[DeltaDenoisingScore.Params]", model: Model, x0: "Tensor", count: int
) -> "Walk":
    """The picture after so many steps down the delta denoising score."""
    if not count:
        return x0
    warn_about_prompt(task, model, x0)
    params, mask = task.params, soft_latent_mask(task.mask, x0)
    embeddings = model.embed([params.source_prompt, params.prompt])
    negative = model.embed([params.negative_prompt])
    denoise = Branches(model, embeddings, (params.guidance,) * 2, negative)
    levels, z = _drawable_levels(model), x0
    for i in range(count):
        level = _draw_level(levels, task, x0, i)
        gradient = _delta(denoise, x0, z, level, task.noise(x0, "score", i))
        z = x0.lerp(z - PUBLISHED_RATE * params.rate * gradient, mask)
        yield z
    return z


def _delta(denoise: Branches, x0: "Tensor", z: "Tensor", level: Level, noise: "Tensor") -> "Tensor":
    """The noise predicted in z for the target, less that in the picture for the source."""
    import torch

    noisy = level.mix(torch.cat([x0, z]), noise)
    source, target = denoise(noisy, level).eps.chunk(2)
    return target - source


def _drawable_levels(model: Model) -> Levels:
    levels = model.levels(LEVELS)
    first, last = round((1 - NOISIEST) * LEVELS), round((1 - CLEANEST) * LEVELS)
    return invertible_levels(levels[first : last + 1])


def _draw_level(
    levels: Levels, task: "Task[DeltaDenoisingScore.Params]", like: "Tensor", step: int
) -> Level:
    """One level, each as likely as any other; the seed decides it, as it decides noise."""
    from math import erf, sqrt

    normal = float(task.noise(like[:1, :1, :1, :1], "level", step))
    uniform = (1 + erf(normal / sqrt(2))) / 2
    return levels[min(int(uniform * len(levels)), len(levels) - 1)]
