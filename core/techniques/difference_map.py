"""What would change: a grey picture of how much the predictions of two prompts differ."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import check_finite, grey_picture
from core.diffusion.model import Image, Model, Step
from core.editing.inversion import invertible_levels
from core.params import Prompt, Range, SourcePrompt, Steps

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

OUTLIERS = 0.98
"""The quantile of the map's values that is white: a few extremes would darken all the rest."""


@techniques.register
class DifferenceMap:
    """Show what another prompt would change, white for most (DiffEdit, arXiv 2210.11427).

    The mask of DiffEdit: the picture is noised several times, and the network's predictions with
    both prompts are compared. Its half-way noise and ten draws are the paper's.
    """

    id: ClassVar[str] = "difference-map"
    label: ClassVar[str] = "What would change"
    paper: ClassVar[Paper | None] = Paper("DiffEdit", "2210.11427")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows")] = ""
        noise: Annotated[
            float, Range(0.1, 0.9, "Noise", step=0.05, help="More: larger shapes, less detail.")
        ] = 0.5
        steps: Annotated[int, Steps(1, 50, "Draws")] = 10

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        levels = invertible_levels(model.levels(50))[:-1]
        level = levels[round((1 - params.noise) * (len(levels) - 1))]
        x0 = model.encode(task.image)
        denoise = check_finite(model.denoiser(model.embed([params.source_prompt, params.prompt])))
        total: Tensor = x0.new_zeros(())
        for draw in range(params.steps):
            source, target = denoise(level.mix(x0, task.noise(x0, "draw", draw)), level).x0.chunk(2)
            total = total + (target - source).abs().mean(1, keepdim=True)
            yield Step(draw + 1, params.steps, target)
        return grey_picture(total, task.image.shape[:2], OUTLIERS)
