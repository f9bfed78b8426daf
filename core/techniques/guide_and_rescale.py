"""Guide-and-Rescale: an edit held to the source's layout by the gradient of an energy."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from core.catalog import Paper, techniques
from core.diffusion.model import Denoise, Image, Level, Model, Prediction, Step
from core.editing.attention_maps import AttentionRecorder, all_heads
from core.editing.energy_guidance import FeatureRecorder, energy_gradient, shift_prediction
from core.editing.inversion import Branches
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.params import Choice, Range

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task


class Guider(NamedTuple):
    """The weights of an energy, and how long its gradient may be against the prompt's guidance.

    ``block`` names the block that gives the features, empty for the last up block. ``is_prompted``:
    the edit's features are those under its own prompt, else those under the source's;
    ``is_squared``: their difference counts squared, else as it is.
    """

    layout: float
    features: float
    least: float
    most: float
    block: str = ""
    is_prompted: bool = False
    is_squared: bool = False


GUIDERS = {
    "layout": Guider(3e5, 500.0, 0.33, 3.0),
    "style": Guider(1e5, 2.5, 1.5, 1.5, "up_blocks.1.resnets.1", is_prompted=True, is_squared=True),
}
"""As published, for edits of things and for edits of the style."""


@techniques.register
class GuideAndRescale:
    """Change what the prompt asks for, keep the layout (Guide-and-Rescale, arXiv 2409.01322).

    Each step follows the prompt and also the gradient of an energy: the distance of the edit's
    self-attention and features from the source's. The gradient's length is kept in proportion to
    the guidance. For changes of style the paper holds half of the steps.
    """

    id: ClassVar[str] = "guide-and-rescale"
    label: ClassVar[str] = "Change, layout kept"
    paper: ClassVar[Paper | None] = Paper("Guide-and-Rescale", "2409.01322")
    needs: ClassVar[frozenset[str]] = frozenset({"attention", "gradient"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        change: Annotated[
            str, Choice(tuple(GUIDERS), "Change of", names=("A thing", "The style"))
        ] = "layout"
        held: Annotated[
            float, Range(0, 1, "Layout kept", step=0.05, help="In what share of the steps.")
        ] = 0.6
        layout: Annotated[float, Range(0, 4, "Weight of layout", step=0.1)] = 1.0
        features: Annotated[float, Range(0, 4, "Weight of features", step=0.1)] = 1.0

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        published = GUIDERS[params.change]
        guider = published._replace(
            layout=published.layout * params.layout, features=published.features * params.features
        )
        edit = PromptEdit(task, model)
        return (yield from edit.run(_HeldLayout(edit, params, guider)))


class _HeldLayout(EditVariation):
    """Early steps go down the energy of a guider."""

    def __init__(self, edit: PromptEdit, params: GuideAndRescale.Params, guider: Guider) -> None:
        super().__init__(edit)
        self.params, self.guider = params, guider

    def scales(self) -> list[float]:
        return scales_of(self.params)

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        is_early = step.index < self.params.held * step.count
        return _Guided(step.branches, self.guider) if is_early and any(self.guider[:2]) else denoise


def scales_of(params: GuideAndRescale.Params) -> list[float]:
    """The guidance scales of source and target; the source has no guidance, as published.

    Equal prompts ask for no change: then both branches are guided, and stay together.
    """
    is_asked = params.prompt != params.source_prompt
    return [1.0 if is_asked else params.guidance, params.guidance]


class _Guided:
    """A denoiser whose edited branch also goes down the energy.

    That is how unlike the source's the edit's maps and features are under the source's prompt.
    """

    def __init__(self, branches: Branches, guider: Guider) -> None:
        self.model, self.guider = branches.model, guider
        self.source, self.target = branches.only(SOURCE), branches.only(TARGET)

    def __call__(self, z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        import torch

        edit, predicted = z[TARGET:], _EditPrediction(self.target, level, label)
        with (wanted := GuidanceFeatures(self.guider)).record(self.model):
            kept = self.source(z[:TARGET], level, label)

        def energy(edit: "Tensor") -> "Tensor":
            with (found := GuidanceFeatures(self.guider)).record(self.model):
                self.source(edit, level, label)
            if self.guider.is_prompted:
                with (prompted := GuidanceFeatures(self.guider)).record(self.model):
                    predicted.of(edit)
                found.tap = prompted.tap
            return unlikeness(found, wanted, self.guider)

        slope = energy_gradient(energy, edit)
        # Layers under a control round otherwise; only so do equal branches stay equal.
        with GuidanceFeatures(self.guider).record(self.model):
            free, push = predicted.of(edit)
        edited = shift_prediction(free, level, rescale_gradient(slope, push, self.guider))
        return Prediction(*(torch.cat(pair) for pair in zip(kept, edited, strict=True)))


class _EditPrediction:
    """The network's prediction for the edit, evaluated once."""

    def __init__(self, target: Branches, level: Level, label: Level | None) -> None:
        self.target, self.levels = target, (level, label)
        self._known: tuple[Prediction, Tensor] | None = None

    def of(self, z: "Tensor") -> "tuple[Prediction, Tensor]":
        """The guided prediction, and what the prompt's guidance adds to its noise."""
        if self._known is None:
            cond, uncond = self.target.pair(z, *self.levels)
            free = self.target.apply_guidance(cond, uncond)
            push = free.eps - uncond.eps if self.target.guided else free.eps
            self._known = Prediction(free.x0.detach(), free.eps.detach()), push.detach()
        return self._known


class GuidanceFeatures:
    """What the energy compares of one network call: self-attention maps and features."""

    def __init__(self, guider: Guider) -> None:
        self.recorder = AttentionRecorder(is_cross=False, reduce=all_heads)
        self.tap = FeatureRecorder(guider.block)

    @contextmanager
    def record(self, model: Model) -> Iterator[None]:
        with model.attention(self.recorder), model.features(self.tap):
            yield


def unlikeness(found: GuidanceFeatures, wanted: GuidanceFeatures, guider: Guider) -> "Tensor":
    """Squared differences of self-attention maps, summed over layers, and those of features.

    Of each only the first row counts, the conditional one. Returns a scalar float, non-negative.
    """
    import torch

    pairs = zip(found.recorder.collected, wanted.recorder.collected, strict=True)
    layout = torch.stack([(maps[:1] - kept[:1]).square().mean() for maps, kept in pairs]).sum()
    features, kept = found.tap.output, wanted.tap.output
    if features is None or kept is None:
        return guider.layout * layout
    apart = features[:1] - kept[:1]
    size = apart.square() if guider.is_squared else apart.abs()
    return guider.layout * layout + guider.features * size.mean()


def rescale_gradient(slope: "Tensor", push: "Tensor", guider: Guider) -> "Tensor":
    """Scale a gradient so that its norm is within the guider's bounds times that of a push.

    slope, push: (1, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    size, reference = float(slope.norm()), float(push.norm())
    if not size or not reference:
        return slope
    ratio = size / reference
    return slope * (min(max(ratio, guider.least), guider.most) / ratio)
