"""Erase: fill a region in from around it, then let the model soften what is left of the seams."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import (
    check_finite,
    keep_outside_mask,
    known_region,
    last_steps,
    latent_mask,
)
from core.diffusion.model import Image, Model, Step
from core.diffusion.samplers import SAMPLERS
from core.editing.exemplar_fill import fill_hole
from core.params import Prompt, Range, Steps

if TYPE_CHECKING:
    from core.task import Task

HOLE = 0.5
"""Mask value from which on the picture is replaced."""


@techniques.register
class Erase:
    """Take something away, and let nothing new appear: fill, then SDEdit (arXiv 2108.01073).

    A model that has learnt to paint things paints one into any hole, whatever the prompt. So the
    hole is filled with patches of the picture itself (Criminisi et al. 2004), and the model only
    walks the last steps from there, the outside kept at every level.
    """

    id: ClassVar[str] = "erase"
    label: ClassVar[str] = "Fill in from around"
    paper: ClassVar[Paper | None] = Paper("exemplar fill and SDEdit", "2108.01073")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = True
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("What is behind it", lines=1)] = ""
        redraw: Annotated[
            float,
            Range(0, 1, "Redraw", step=0.05, help="How much the model may change the filled part."),
        ] = 0.2
        steps: Annotated[int, Steps(1, 100, "Steps")] = 20

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        filled = replace(task, image=fill_hole(task.image, task.mask >= HOLE))
        levels = last_steps(model.levels(task.params.steps), task.params.redraw)
        x0 = model.encode(filled.image)
        if len(levels) == 1:
            return filled.image
        noise, mask = filled.noise(x0), latent_mask(filled.mask, x0)
        known = known_region(model, mask, x0)
        denoise = keep_outside_mask(
            check_finite(model.denoiser(task.params.prompt, known)), x0, noise, mask, levels
        )
        z = yield from SAMPLERS["ddim"](denoise, levels[0].mix(x0, noise), levels)
        return model.decode(z.where(mask > 0, x0))
