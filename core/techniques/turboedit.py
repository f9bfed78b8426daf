"""TurboEdit: a prompt edit in three or four steps, without an inversion of its own."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.eta_step import step_mean
from core.diffusion.latent_masks import check_finite, last_steps, soft_latent_mask
from core.diffusion.model import Image, Levels, Model, Step
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule, nearest_index
from core.editing.inversion import invertible_levels
from core.editing.prompt_warnings import warn_about_prompt
from core.params import Prompt, Range, SourcePrompt, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task


@techniques.register
class TurboEdit:
    """Change words in a picture in a few steps, for fast models (TurboEdit, arXiv 2408.00735).

    Every level gets a noised picture of its own, somewhat cleaner than the network is told. The
    edit follows these pictures by what the words change, stressed by the pseudo-guidance.
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
        levels = last_steps(invertible_levels(model.levels(params.steps)), params.strength)
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
            z = sources[i + 1] + (before - source) + params.emphasis * (after - before)
            z = sources[i + 1].lerp(z, mask)
            yield Step(i + 1, len(levels) - 1, prediction.x0[2:])
        return model.decode(z)


def _concatenate(*latents: "Tensor") -> "Tensor":
    import torch

    return torch.cat(latents)


def noised_latents(
    task: "Task[TurboEdit.Params]", model: Model, levels: Levels, x0: "Tensor"
) -> "list[Tensor]":
    """The picture with a noise of its own at every level, the level shifted; at last itself.

    x0: (1, c, h, w) float, unbounded. Every latent has the same shape and dtype.
    """
    fine, shift = full_schedule(model), round(task.params.shift * SCHEDULE_STEPS)
    shifted = [min(nearest_index(fine, level) + shift, len(fine) - 1) for level in levels[:-1]]
    latents = [fine[at].mix(x0, task.noise(x0, "map", i)) for i, at in enumerate(shifted)]
    return [*latents, x0]
