"""TurboEdit: a prompt edit in three or four steps, without an inversion of its own."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.eta_step import step_mean
from core.diffusion.latent_masks import check_finite, last_steps, soft_latent_mask
from core.diffusion.model import Image, Level, Levels, Model, Step
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule, nearest_index
from core.editing.prompt_warnings import warn_about_prompt
from core.params import Prompt, Range, SourcePrompt, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task


FIRST, LAST = 0.2, 0.8
"""Where on the schedule the first step and the last begin, from pure noise at 0, as published."""
CLEAN = Level(1.0, 0.0, 0.0)
MAX_LAST_MAP = 15.5 / (4 * 64 * 64) ** 0.5
"""The published limit of the last map, as the root of its mean square."""


@techniques.register
class TurboEdit:
    """Change words in a picture in a few steps, for fast models (TurboEdit, arXiv 2408.00735).

    Every level gets an independently noised picture, a fifth of the schedule cleaner than the
    network is told; where nothing is left of the noise it is the picture itself. The edit follows
    these pictures and adds what the words change, scaled by the pseudo-guidance. Steps begin at
    four fifths of the schedule and are spread to one fifth: times 799, 599, 399 and 199 for four.
    The last map is shortened to the authors' norm, 15.5 in latents of 64 by 64, which takes away
    artefacts; here the limit is that of the mean square, so that it holds for other sizes.
    """

    id: ClassVar[str] = "turboedit"
    label: ClassVar[str] = "Swap words fast"
    paper: ClassVar[Paper | None] = Paper("TurboEdit", "2408.00735")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[
            str,
            SourcePrompt(
                "Picture shows", help="What is there now; the words that differ are edited."
            ),
        ] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="0: the picture. 1: the prompt.")
        ] = 1.0
        emphasis: Annotated[
            float, Range(0, 5, "Emphasis", step=0.1, help="Stress on what the words change.")
        ] = 1.5
        shift: Annotated[
            float, Range(0, 0.5, "Shift", step=0.05, help="Of the schedule, against artefacts.")
        ] = 0.2
        steps: Annotated[int, Steps(1, 50, "Steps")] = 4

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = last_steps(turbo_levels(model, params.steps), params.strength)
        x0 = model.encode(task.image)
        if len(levels) > 1:
            warn_about_prompt(task, model, x0)
        embeddings = model.embed([params.source_prompt, params.source_prompt, params.prompt])
        denoise, mask = check_finite(model.denoiser(embeddings)), soft_latent_mask(task.mask, x0)
        sources = noised_latents(task, model, levels, x0)
        z = sources[0]
        for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
            prediction = denoise(_concatenate(sources[i], z, z), here)
            source, before, after = step_mean(prediction, here, there).chunk(3)
            noise_map = sources[i + 1] - source
            if there == CLEAN:
                noise_map = limit_map(noise_map)
            z = before + noise_map + params.emphasis * (after - before)
            z = sources[i + 1].lerp(z, mask)
            yield Step(i + 1, len(levels) - 1, prediction.x0[2:])
        return model.decode(z)


def turbo_levels(model: Model, steps: int) -> Levels:
    """The published times for any number of steps, and the clean end."""
    fine, last = full_schedule(model), max(1, steps - 1)
    shares = (FIRST + n * (LAST - FIRST) / last for n in range(steps))
    return (*(fine[round(share * SCHEDULE_STEPS)] for share in shares), CLEAN)


def limit_map(noise_map: "Tensor") -> "Tensor":
    """A map no longer than published. (1, c, h, w) float, unbounded, to the same."""
    size = float(noise_map.square().mean().sqrt())
    return noise_map if size <= MAX_LAST_MAP else noise_map * (MAX_LAST_MAP / size)


def _concatenate(*latents: "Tensor") -> "Tensor":
    import torch

    return torch.cat(latents)


def noised_latents(
    task: "Task[TurboEdit.Params]", model: Model, levels: Levels, x0: "Tensor"
) -> "list[Tensor]":
    """The picture with a noise of its own at every level, the level shifted.

    It is itself at the clean end, and where the shift leaves no noise.

    x0: (1, c, h, w) float, unbounded. Every latent has the same shape and dtype.
    """
    fine, shift = full_schedule(model), round(task.params.shift * SCHEDULE_STEPS)
    shifted = [nearest_index(fine, level) + shift for level in levels[:-1]]
    latents = [
        fine[at].mix(x0, task.noise(x0, "map", i)) if at < SCHEDULE_STEPS else x0
        for i, at in enumerate(shifted)
    ]
    return [*latents, x0]
