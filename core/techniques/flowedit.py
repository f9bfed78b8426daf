"""FlowEdit: from picture to edit along the difference of two flows, without an inversion."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import last_steps, number_steps, soft_latent_mask
from core.diffusion.model import Image, Model, Step
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import Branches, invertible_levels
from core.editing.prompt_warnings import warn_about_prompt
from core.params import (
    Guidance,
    NegativePrompt,
    Prompt,
    Range,
    SourceGuidance,
    SourcePrompt,
    Steps,
    Strength,
)

if TYPE_CHECKING:
    from torch import Tensor

    from core.editing.prompt_edit import Walk
    from core.task import Task


@techniques.register
class FlowEdit:
    """Turn what the picture shows into something else, shape kept (FlowEdit, arXiv 2412.08629).

    At every level the picture is noised afresh, and the edit moves by the difference between the
    velocities that the model predicts for the two prompts. The defaults are those published for
    Stable Diffusion 3; FLUX reads guidance 5.5 for the prompt and 1.5 for the source, and was
    published with 28 steps at strength 0.86. Equal words leave nothing to edit, so that both get
    the source's scale and the picture stays; the published code would still sharpen it.
    """

    id: ClassVar[str] = "flowedit"
    label: ClassVar[str] = "Change what it shows"
    paper: ClassVar[Paper | None] = Paper("FlowEdit", "2412.08629")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows", help="What is there now.")] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.02, help="How much of the walk is edited.")
        ] = 0.66
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5, embedded=5.5)] = 13.5
        source_guidance: Annotated[
            float, SourceGuidance(1, 20, "Source guidance", step=0.5, embedded=1.5)
        ] = 3.5
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
        draws: Annotated[
            int, Range(1, 8, "Noises a step", help="More make the edit steadier and slower.")
        ] = 1
        free: Annotated[
            int, Range(0, 50, "Free last steps", help="Steps that follow the prompt alone.")
        ] = 0
        steps: Annotated[int, Steps(2, 100, "Steps")] = 50

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        x0 = model.encode(task.image)
        levels = last_steps(
            invertible_levels(model.levels(task.params.steps)), task.params.strength
        )
        if len(levels) == 1:
            return model.decode(x0)
        warn_about_prompt(task, model, x0)
        edit = _Edit(task, model, x0, Flow(model, levels))
        z = yield from number_steps(edit.walk(), len(levels) - 1)
        return model.decode(z)


class _Edit:
    """The walk of one picture; ``x0`` is where it starts and what stays outside the mask."""

    def __init__(
        self, task: "Task[FlowEdit.Params]", model: Model, x0: "Tensor", flow: Flow
    ) -> None:
        self.task, self.params = task, task.params
        self.x0, self.flow = x0, flow
        self.mask = soft_latent_mask(task.mask, x0)
        self.both, self.target = self._branches(model)

    def _branches(self, model: Model) -> tuple[Branches, Branches]:
        """Source and target under every noise of a step, and the target alone."""
        params = self.params
        prompts = [params.source_prompt, params.prompt]
        both = model.embed([prompt for prompt in prompts for _ in range(params.draws)])
        same = params.prompt.strip() == params.source_prompt.strip()
        scale = params.source_guidance if same else params.guidance
        scales = [params.source_guidance] * params.draws + [scale] * params.draws
        negative = model.embed([params.negative_prompt])
        target = model.embed([params.prompt])
        return (
            Branches(model, both, scales, negative),
            Branches(model, target, (scale,), negative),
        )

    def walk(self) -> "Walk":
        times, count = self.flow.times, len(self.flow.times) - 1
        first_free = max(0, count - self.params.free)
        x = self.x0
        for i, (here, there) in enumerate(zip(times[:first_free], times[1:], strict=False)):
            x = self._restore_outside(x + (there - here) * self._difference(i, x))
            yield x
        if first_free < count:
            x = yield from self._sample(x, first_free)
        return x

    def _difference(self, i: int, x: "Tensor") -> "Tensor":
        """The target's velocity less the source's, on average over noises."""
        import torch

        time = self.flow.times[i]
        source = torch.cat([self._noised_latent(i, draw) for draw in range(self.params.draws)])
        target = source + (x - self.x0)
        velocity = self.flow.velocity(self.both, torch.cat([source, target]), time)
        for_source, for_target = velocity.chunk(2)
        return (for_target - for_source).mean(0, keepdim=True)

    def _noised_latent(self, i: int, draw: int) -> "Tensor":
        """The picture under a fresh noise, the same one whatever the strength."""
        step = len(self.flow.times) - 1 - i
        time, noise = self.flow.times[i], self.task.noise(self.x0, f"flow {draw}", step)
        return (1 - time) * self.x0 + time * noise

    def _sample(self, x: "Tensor", first: int) -> "Walk":
        """The last steps: an ordinary walk that starts at the edit so far."""
        times = self.flow.times
        x = self._noised_latent(first, 0) + (x - self.x0)
        for i in range(first, len(times) - 1):
            velocity = self.flow.velocity(self.target, x, times[i])
            yield x - times[i] * velocity
            x = x + (times[i + 1] - times[i]) * velocity
        return self._restore_outside(self.flow.to_model_latent(x, times[-1]))

    def _restore_outside(self, x: "Tensor") -> "Tensor":
        """Outside the painted region the picture itself."""
        return self.x0.lerp(x, self.mask)
