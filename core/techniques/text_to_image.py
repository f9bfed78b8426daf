"""Text to image, into the whole picture or into a region of it."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import check_finite, keep_outside_mask, known_region, latent_mask
from core.diffusion.model import Image, Model, Step
from core.diffusion.samplers import SAMPLERS
from core.params import Choice, Prompt, Steps

if TYPE_CHECKING:
    from core.task import Task


@techniques.register
class TextToImage:
    """Paint from pure noise what the prompt says (latent diffusion, arXiv 2112.10752)."""

    id: ClassVar[str] = "text-to-image"
    label: ClassVar[str] = "Generate"
    paper: ClassVar[Paper | None] = Paper("latent diffusion", "2112.10752")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        steps: Annotated[int, Steps(1, 100, "Steps")] = 20
        sampler: Annotated[str, Choice(tuple(SAMPLERS), "Sampler")] = "ddim"

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = model.levels(params.steps)
        x0 = model.encode(task.image)
        noise = task.noise(x0)
        mask = latent_mask(task.mask, x0)
        z = noise * math.hypot(levels[0].signal, levels[0].noise)
        if not bool((mask < 1).any()):
            denoise = check_finite(model.denoiser(params.prompt))
            return model.decode((yield from SAMPLERS[params.sampler](denoise, z, levels)))
        known = known_region(model, mask, x0)
        denoise = keep_outside_mask(
            check_finite(model.denoiser(params.prompt, known)), x0, noise, mask, levels
        )
        z = z.where(mask > 0, levels[0].mix(x0, noise))
        z = yield from SAMPLERS[params.sampler](denoise, z, levels)
        return model.decode(z.where(mask > 0, x0))
