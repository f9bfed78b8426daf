"""FlowChef: steer a walk towards the picture, with no gradient through the network."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import (
    check_finite,
    last_steps,
    number_steps,
    soft_latent_mask,
)
from core.diffusion.model import Image, Level, Model, Prediction, Step
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import invertible_levels
from core.editing.prompt_warnings import warn_about_prompt
from core.params import Guidance, Prompt, Range, SourcePrompt, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.editing.prompt_edit import Walk
    from core.task import Task

SLOPE = 2 * 1000 / (16 * 128**2)
"""The slope of the published loss, 1000 times the mean squared error of 16 x 128 x 128 latents.

Latents of other sizes are pulled as hard per value: any harder, noise is left over at the end.
"""


@techniques.register
class FlowChef:
    """Paint something else in the picture's own composition (FlowChef, arXiv 2412.00100).

    At every step the predicted clean latent is pulled towards the picture along the straight line
    of the flow: first all of it, later only what lies outside the painted region.
    """

    id: ClassVar[str] = "flowchef"
    label: ClassVar[str] = "Steer towards the picture"
    paper: ClassVar[Paper | None] = Paper("FlowChef", "2412.00100")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[
            str,
            SourcePrompt("Picture shows", help="What is there now; the edit leads away from it."),
        ] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="0: the picture. 1: from noise.")
        ] = 1.0
        guidance: Annotated[
            float,
            Guidance(
                0, 20, "Guidance scale", step=0.5, help="Inside the region only.", embedded=4.5
            ),
        ] = 4.5
        kept: Annotated[
            float, Range(0, 1, "Composition kept", step=0.01, help="Share of steps.")
        ] = 0.33
        rate: Annotated[float, Range(0, 10, "Pull towards the picture", step=0.1)] = 0.6
        pulls: Annotated[int, Range(1, 10, "Pulls a step")] = 4
        steps: Annotated[int, Steps(2, 100, "Steps")] = 30

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        x0 = model.encode(task.image)
        levels = last_steps(
            invertible_levels(model.levels(task.params.steps)), task.params.strength
        )
        if len(levels) == 1:
            return model.decode(x0)
        warn_about_prompt(task, model, x0)
        walk = _Steered(task, model, x0, Flow(model, levels)).walk()
        z = yield from number_steps(walk, len(levels) - 1)
        return model.decode(z)


class _Steered:
    """The walk of one picture; ``x0`` is what it is steered towards."""

    def __init__(
        self, task: "Task[FlowChef.Params]", model: Model, x0: "Tensor", flow: Flow
    ) -> None:
        self.params, self.flow, self.x0 = task.params, flow, x0
        self.noise = task.noise(x0)
        self.mask = soft_latent_mask(task.mask, x0)
        # As published also on networks that embed their guidance: two predictions, no number.
        prompts = [self.params.prompt, self.params.source_prompt][
            : 2 if self.params.guidance else 1
        ]
        self.denoise = check_finite(model.denoiser(model.embed(prompts)))

    def walk(self) -> "Walk":
        times, count = self.flow.times, len(self.flow.times) - 1
        x = (1 - times[0]) * self.x0 + times[0] * self.noise
        for i, (here, there) in enumerate(zip(times, times[1:], strict=False)):
            velocity = self.flow.velocity(self._guide, x, here)
            whole = i < round(self.params.kept * count)
            x = self._pull(x, velocity, here, whole)
            yield x - here * velocity
            x = x + (there - here) * velocity
        return self.x0.lerp(self.flow.to_model_latent(x, times[-1]), self.mask)

    def _guide(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        """The prompt, inside the painted region guided away from the source prompt."""
        x0, eps = self.denoise(z, level, label)
        scale = self.params.guidance * self.mask
        return Prediction(
            x0[:1] + scale * (x0[:1] - x0[-1:]),
            eps[:1] + scale * (eps[:1] - eps[-1:]),
        )

    def _pull(self, x: "Tensor", velocity: "Tensor", time: float, whole: bool) -> "Tensor":
        """x after gradient steps that bring its predicted clean latent nearer to the picture."""
        share = min(1.0, self.params.rate * SLOPE)
        where = 1.0 if whole else 1 - self.mask
        for _ in range(self.params.pulls):
            x = x - share * where * (x - time * velocity - self.x0)
        return x
