"""RIVAL: another picture of the same things, its walk aligned with the picture's own."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionCall, AttentionLayer, AttentionStates
from core.diffusion.model import Denoise, Image, Level, Model, Prediction, Step
from core.diffusion.noise_schedule import full_schedule, nearest_index
from core.editing.inversion import PathState
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.params import Guidance, NegativePrompt, Range, Switch

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

LEAST_VARIANCE = 1e-5


@techniques.register
class Rival:
    """Make variations of a picture (Real-World Image Variation by Aligning Diffusion Inversion
    Chain, RIVAL, arXiv 2305.18729).

    The variation starts from the picture's noise, shuffled. Its self-attention looks at the
    picture, early at nothing else, and early its noise has the picture's statistics. Below full
    strength only the noise is shuffled, not what is left of the picture.
    """

    id: ClassVar[str] = "rival"
    label: ClassVar[str] = "Variation"
    paper: ClassVar[Paper | None] = Paper(
        "Real-World Image Variation by Aligning Diffusion Inversion Chain", "2305.18729"
    )
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 7.0
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = (
            "monochrome, lowres, bad anatomy, worst quality, low quality"
        )
        look: Annotated[bool, Switch("Look at the picture", help="In self-attention.")] = True
        align: Annotated[
            float,
            Range(0, 1, "Free meaning", step=0.05, help="Less is closer to what it shows."),
        ] = 0.6
        early: Annotated[
            float, Range(0, 1, "Free colours", step=0.05, help="Less is closer to its colours.")
        ] = 0.6

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        return (yield from edit.run(_AlignedChain(edit, task.params)))


class _AlignedChain(EditVariation):
    """Aligns the walk of the variation with the picture's own."""

    def __init__(self, edit: PromptEdit, params: Rival.Params) -> None:
        super().__init__(edit)
        self.params = params
        whole = full_schedule(edit.model)
        self.times = [1 - nearest_index(whole, level) / (len(whole) - 1) for level in edit.levels]

    def scales(self) -> list[float]:
        return [1.0, self.params.guidance]

    def start(self, state: PathState) -> PathState:
        """The source's start, for the variation with its cells in another order."""
        edit, z = self.edit, state[0]
        order = edit.task.noise(edit.x0[:, :1], "shuffle").flatten().argsort().to(z.device)
        kept = edit.x0 * (edit.levels[0].signal if self.params.strength < 1 else 0.0)

        def shuffle(part: "Tensor") -> "Tensor":
            part = part.clone()
            noise = part[TARGET:] - kept.to(part)
            part[TARGET:] = kept.to(part) + noise.flatten(2)[..., order].view_as(noise)
            return part

        return tuple(shuffle(part) for part in state)

    def attention(self, step: EditStep) -> AttentionCall | None:
        return partial(self._attend_to_source, step) if self.params.look else None

    def _attend_to_source(
        self,
        step: EditStep,
        place: AttentionLayer,
        query: "Tensor",
        key: "Tensor",
        value: "Tensor",
    ) -> AttentionStates:
        if place.is_cross:
            return query, key, value
        is_alone = self.times[step.index] > self.params.align
        return query, _of_source(key, is_alone), _of_source(value, is_alone)

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        is_free = self.times[step.index] <= self.params.early
        return denoise if is_free else _with_statistics(denoise)


def _of_source(states: "Tensor", is_alone: bool) -> "Tensor":
    """The source's keys or values in place of every row's own, or before them."""
    import torch

    source = states[SOURCE : SOURCE + 1].expand_as(states)
    return source if is_alone else torch.cat([source, states], dim=2)


def _with_statistics(denoise: Denoise) -> Denoise:
    """The noise of every branch has the source's mean and deviation in each channel."""

    def aligned(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        x0, eps = denoise(z, level, label)
        change = adain(eps, eps[:TARGET]) - eps
        change[:TARGET] = 0
        return Prediction(x0 - level.noise / level.signal * change, eps + change)

    return aligned


def adain(states: "Tensor", like: "Tensor") -> "Tensor":
    """Give every channel the mean and deviation that it has in another latent.

    states: (b, c, h, w) float, unbounded; like: (1, c, h, w) alike. Returns the shape of states.
    """
    import torch

    spread, mean = torch.var_mean(states, (2, 3), keepdim=True)
    wanted, wanted_mean = torch.var_mean(like, (2, 3), keepdim=True)
    scale = ((wanted + LEAST_VARIANCE) / (spread + LEAST_VARIANCE)) ** 0.5
    return (states - mean) * scale + wanted_mean
