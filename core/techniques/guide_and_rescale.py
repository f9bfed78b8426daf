"""Guide-and-Rescale: an edit held to the source's layout by the slope of an energy."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion import Denoise, Image, Level, Model, Prediction, Step
from core.energy import Recorded, Tapped, gradient, shifted
from core.inversion import rows_of
from core.latents import checked
from core.params import Range
from core.prompt_edit import SOURCE, TARGET, EditParams, PromptEdit

if TYPE_CHECKING:
    from torch import Tensor

    from core.engine.task import Task

ATTENTION, FEATURES = 3e5, 500.0
"""Weights of the two parts of the energy, as published."""
LEAST, MOST = 0.33, 3.0
"""The energy's slope is between so many times the prompt's guidance, in norm."""


@techniques.register
class GuideAndRescale:
    """Change what the prompt asks for, keep the layout (Guide-and-Rescale, arXiv 2409.01322).

    The noise follows the prompt and the slope of an energy: how far the edit's self-attention and
    features are from the source's. The slope's length is kept in proportion to the guidance.
    """

    id: ClassVar[str] = "guide-and-rescale"
    label: ClassVar[str] = "Change, layout kept"
    needs: ClassVar[frozenset[str]] = frozenset({"attention", "gradient"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        held: Annotated[
            float, Range(0, 1, "Layout kept", step=0.05, help="In what share of the steps.")
        ] = 0.6
        layout: Annotated[float, Range(0, 4, "Weight of layout", step=0.1)] = 1.0
        features: Annotated[float, Range(0, 4, "Weight of features", step=0.1)] = 1.0

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        weights = (ATTENTION * task.params.layout, FEATURES * task.params.features)

        def guide(edit: PromptEdit, denoise: Denoise) -> Denoise:
            early = edit.at < task.params.held * edit.count
            return _guided(edit, weights) if early and any(weights) else denoise

        return (yield from PromptEdit(task, model).run(guide=guide))


def _guided(edit: PromptEdit, weights: tuple[float, float]) -> Denoise:
    """A denoiser whose edited branch also goes down the energy."""

    def guided(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        import torch

        def energy(shown: "Tensor") -> "Tensor":
            return _energy(edit, weights, torch.cat([z[:1], shown]), level, label)

        slope = gradient(energy, z[TARGET : TARGET + 1])
        towards, against = edit.branches.pair(z, level, label)
        seen = edit.branches.mixed(towards, against)
        push = seen.eps[TARGET:] - against.eps[-1:] if edit.branches.guided else seen.eps[TARGET:]
        change = torch.cat([torch.zeros_like(slope), rescaled(slope, push)])
        return shifted(seen, level, change)

    return guided


def _energy(
    edit: PromptEdit,
    weights: tuple[float, float],
    z: "Tensor",
    level: Level,
    label: Level | None,
) -> "Tensor":
    """How unlike the source the edit is when both are shown with the source's words."""
    words = rows_of(edit.branches.words, [SOURCE, SOURCE])
    record, tap = Recorded(is_cross=False), Tapped()
    with edit.model.attention(record), edit.model.features(tap):
        checked(edit.model.denoiser(words))(z, level, label)
    return unlikeness(record.seen, tap.seen, weights)


def unlikeness(
    maps: "list[Tensor]", features: "Tensor | None", weights: tuple[float, float]
) -> "Tensor":
    """Squared differences of self-attention maps, summed over layers, and of features."""
    import torch

    layout = torch.stack([(seen[1] - seen[0].detach()).square().mean() for seen in maps]).sum()
    if features is None:
        return weights[0] * layout
    return weights[0] * layout + weights[1] * (features[1] - features[0].detach()).abs().mean()


def rescaled(slope: "Tensor", push: "Tensor") -> "Tensor":
    """The slope, its norm brought within LEAST to MOST times that of a push."""
    size, yardstick = float(slope.norm()), float(push.norm())
    if not size or not yardstick:
        return slope
    ratio = size / yardstick
    return slope * (min(max(ratio, LEAST), MOST) / ratio)
