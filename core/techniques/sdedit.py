"""SDEdit: the plainest edit, noise and denoise."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import check_finite, last_steps
from core.diffusion.model import Image, Model, Step
from core.diffusion.samplers import SAMPLERS
from core.params import Choice, Prompt, Steps, Strength

if TYPE_CHECKING:
    from core.task import Task


@techniques.register
class SDEdit:
    """Noise the picture part-way, then denoise it towards the prompt (SDEdit, arXiv 2108.01073)."""

    id: ClassVar[str] = "sdedit"
    label: ClassVar[str] = "Restyle"
    paper: ClassVar[Paper | None] = Paper("SDEdit", "2108.01073")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        strength: Annotated[float, Strength(0, 1, "Strength", step=0.05)] = 0.6
        steps: Annotated[int, Steps(1, 100, "Steps")] = 20
        sampler: Annotated[str, Choice(tuple(SAMPLERS), "Sampler")] = "ddim"

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = last_steps(model.levels(params.steps), params.strength)
        x0 = model.encode(task.image)
        if len(levels) == 1:
            return model.decode(x0)
        denoise = check_finite(model.denoiser(params.prompt))
        z = levels[0].mix(x0, task.noise(x0))
        z = yield from SAMPLERS[params.sampler](denoise, z, levels)
        return model.decode(z)
