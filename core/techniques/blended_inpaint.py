"""Blended Latent Diffusion: denoise inside the mask, keep the picture outside at every level."""

from collections.abc import Generator
from dataclasses import dataclass
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
from core.params import Choice, Prompt, Steps, Strength

if TYPE_CHECKING:
    from core.task import Task


@techniques.register
class BlendedInpaint:
    """Repaint a region while its surroundings stay (Blended Latent Diffusion, arXiv 2206.02779).

    The known region follows the level after each step, with one fixed noise; soft mask values
    join late, as in Differential Diffusion (arXiv 2306.00950).
    """

    id: ClassVar[str] = "blended-inpaint"
    label: ClassVar[str] = "Repaint region"
    paper: ClassVar[Paper | None] = Paper("Blended Latent Diffusion", "2206.02779")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = True
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        strength: Annotated[float, Strength(0, 1, "Strength", step=0.05)] = 1.0
        steps: Annotated[int, Steps(1, 100, "Steps")] = 20
        sampler: Annotated[str, Choice(tuple(SAMPLERS), "Sampler")] = "ddim"

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = last_steps(model.levels(params.steps), params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        noise, mask = task.noise(x0), latent_mask(task.mask, x0)
        known = known_region(model, mask, x0)
        denoise = keep_outside_mask(
            check_finite(model.denoiser(params.prompt, known)), x0, noise, mask, levels
        )
        z = levels[0].mix(x0, noise)
        z = yield from SAMPLERS[params.sampler](denoise, z, levels)
        return model.decode(z.where(mask > 0, x0))
