"""Guide-and-Rescale: an edit held to the source's layout by the slope of an energy."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion import Denoise, Image, Level, Model, Prediction, Step
from core.energy import Recorded, Tapped, gradient, shifted
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
        params = task.params
        weights = (ATTENTION * params.layout, FEATURES * params.features)

        def guide(edit: PromptEdit, denoise: Denoise) -> Denoise:
            early = edit.at < params.held * edit.count
            return _guided(edit, weights) if early and any(weights) else denoise

        return (yield from PromptEdit(task, model).run(guide=guide, scales=scales_of(params)))


def scales_of(params: GuideAndRescale.Params) -> list[float]:
    """The source is seen without guidance, as published.

    Prompts that are the same ask for nothing: then both branches are guided, and stay together.
    """
    is_asked = params.prompt != params.source_prompt
    return [1.0 if is_asked else params.guidance, params.guidance]


def _guided(edit: PromptEdit, weights: tuple[float, float]) -> Denoise:
    """A denoiser whose edited branch also goes down the energy.

    That is how unlike the source's the edit's maps and features are under the source's words.
    """
    source, target = edit.branches.only(SOURCE), edit.branches.only(TARGET)

    def guided(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        import torch

        wanted = Shown()
        with wanted.kept(edit.model):
            kept = source(z[:TARGET], level, label)

        def energy(shown: "Tensor") -> "Tensor":
            found = Shown()
            with found.kept(edit.model):
                source(shown, level, label)
            return unlikeness(found, wanted, weights)

        slope = gradient(energy, z[TARGET:])
        with Shown().kept(edit.model):  # Opened layers round otherwise: equal stays equal.
            towards, against = target.pair(z[TARGET:], level, label)
        free = target.mixed(towards, against)
        push = free.eps - against.eps if target.guided else free.eps
        edited = shifted(free, level, rescaled(slope, push))
        return Prediction(*(torch.cat(pair) for pair in zip(kept, edited, strict=True)))

    return guided


class Shown:
    """What the energy compares of one look: self-attention maps and the last features."""

    def __init__(self) -> None:
        self.record, self.tap = Recorded(is_cross=False), Tapped()

    @contextmanager
    def kept(self, model: Model) -> Iterator[None]:
        with model.attention(self.record), model.features(self.tap):
            yield


def unlikeness(found: Shown, wanted: Shown, weights: tuple[float, float]) -> "Tensor":
    """Squared differences of self-attention maps, summed over layers, and of features.

    The first row of each is of the words; others, against them, do not count.
    """
    import torch

    pairs = zip(found.record.seen, wanted.record.seen, strict=True)
    layout = torch.stack([(maps[:1] - kept[:1]).square().mean() for maps, kept in pairs]).sum()
    features, kept = found.tap.seen, wanted.tap.seen
    if features is None or kept is None:
        return weights[0] * layout
    return weights[0] * layout + weights[1] * (features[:1] - kept[:1]).abs().mean()


def rescaled(slope: "Tensor", push: "Tensor") -> "Tensor":
    """The slope, its norm brought within LEAST to MOST times that of a push."""
    size, yardstick = float(slope.norm()), float(push.norm())
    if not size or not yardstick:
        return slope
    ratio = size / yardstick
    return slope * (min(max(ratio, LEAST), MOST) / ratio)
