"""What would change: a grey picture of how differently two prompts see a picture."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.latent_masks import check_finite, grey_picture
from core.diffusion.model import Image, Model, Step
from core.editing.inversion import invertible_levels
from core.params import Range, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

OUTLIERS = 0.98
"""Of the map's values, above which they count as this bright: extremes would darken the rest."""


@techniques.register
class DifferenceMap:
    """Show what another prompt would change, white for most (DiffEdit, arXiv 2210.11427).

    The mask of DiffEdit: the picture is noised several times, and the network's predictions with
    both prompts are compared. Its half-way noise and ten draws are the paper's.
    """

    id: ClassVar[str] = "difference-map"
    label: ClassVar[str] = "What would change"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    is_look: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Text("It should show", lines=2)] = ""
        source_prompt: Annotated[str, Text("Picture shows")] = ""
        noise: Annotated[
            float, Range(0.1, 0.9, "Noise", step=0.05, help="More: larger shapes, less detail.")
        ] = 0.5
        steps: Annotated[int, Range(1, 50, "Draws")] = 10

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = invertible_levels(model.levels(50))[:-1]
        level = levels[round((1 - params.noise) * (len(levels) - 1))]
        x0 = model.encode(task.image)
        denoise = check_finite(model.denoiser(model.embed([params.source_prompt, params.prompt])))
        total: Tensor = x0.new_zeros(())
        for draw in range(params.steps):
            prediction = denoise(level.mix(x0, task.noise(x0, "draw", draw)), level)
            total = total + (prediction.x0[1:2] - prediction.x0[:1]).abs().mean(1, keepdim=True)
            yield Step(draw + 1, params.steps, prediction.x0[1:2])
        return grey_picture(total, task.image.shape[:2], OUTLIERS)
