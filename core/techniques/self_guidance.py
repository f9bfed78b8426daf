"""Self-guidance: move, resize or stress a thing by the attention map of its word."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.model import Denoise, Image, Level, Model, Prediction, Step
from core.editing.attention_maps import AttentionRecorder, latent_size, map_to_grid, resize_map
from core.editing.energy_guidance import FeatureRecorder, energy_gradient, shift_prediction
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import align_tokens, token_indices
from core.errors import TechniqueError
from core.params import Range, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

GUIDED = 0.75
"""In what share of the steps the energy acts: later ones only refine."""
SHARPNESS = 10.0
"""How steeply an attention map becomes a shape at half its height."""
APPEARANCE = 0.5
"""The weight of appearance, where position and size have 1."""
MAX_CHANGE = 1.0
"""The change of the noise is never longer than so many times the noise itself."""


@techniques.register
class SelfGuidance:
    """Move, resize or stress the thing that a word names (self-guidance, arXiv 2306.00986).

    An energy on the word's own attention: its centre, size and presence are what you ask for, all
    other words keep their shapes and everything its appearance.
    """

    id: ClassVar[str] = "self-guidance"
    label: ClassVar[str] = "Move or resize a thing"
    paper: ClassVar[Paper | None] = Paper("self-guidance", "2306.00986")
    needs: ClassVar[frozenset[str]] = frozenset({"attention", "gradient"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        thing: Annotated[str, Text("Thing", help="A word of the prompt.")] = ""
        right: Annotated[
            float, Range(-1, 1, "Move right", step=0.05, help="Share of the width.")
        ] = 0.0
        down: Annotated[
            float, Range(-1, 1, "Move down", step=0.05, help="Share of the height.")
        ] = 0.0
        size: Annotated[float, Range(0.25, 4, "Size", step=0.05)] = 1.0
        presence: Annotated[
            float, Range(0, 4, "Presence", step=0.1, help="How much its word acts.")
        ] = 1.0
        kept: Annotated[float, Range(0, 4, "Rest kept", step=0.1)] = 1.0
        weight: Annotated[float, Range(0, 10000, "Weight", step=100)] = 500.0

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        completed = replace(params, source_prompt=params.source_prompt or params.prompt)
        edit = PromptEdit(replace(task, params=completed), model)
        if not params.thing.strip() or not params.weight:
            return (yield from edit.run())
        return (yield from edit.run(_Wish(edit, completed)))


class _Wish(EditVariation):
    """What the thing shall be, as an energy. Token indices come in pairs, source and target."""

    def __init__(self, edit: PromptEdit, params: SelfGuidance.Params) -> None:
        super().__init__(edit)
        self.params = params
        self.cells = latent_size(edit.x0)
        pieces = edit.model.pieces
        source, target = pieces(params.source_prompt), pieces(params.prompt)
        thing = pieces(params.thing)
        self.thing = tuple(token_indices(prompt, thing) for prompt in (source, target))
        if not all(self.thing):
            raise TechniqueError(
                f"{params.thing!r} is not a word of both prompts; name one that is."
            )
        pairs = zip(align_tokens(source, target), range(len(target)), strict=True)
        others = set(token_indices(target, target)) - set(self.thing[TARGET])
        self.others = [([there], [here]) for there, here in pairs if there >= 0 and here in others]

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        return self.push(denoise) if step.index < GUIDED * step.count else denoise

    def push(self, denoise: Denoise) -> Denoise:
        """A denoiser whose edited branch goes down the energy."""

        def pushed(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            predictions: list[Prediction] = []

            def energy(z: "Tensor") -> "Tensor":
                record, tap = AttentionRecorder(cells=self.cells), FeatureRecorder()
                with self.edit.model.attention(record), self.edit.model.features(tap):
                    predictions.append(denoise(z, level, label))
                return self.energy(record.mean(), tap.output)

            slope = energy_gradient(energy, z)
            prediction = Prediction(*(part.detach() for part in predictions[0]))
            change = self.params.weight * level.noise * slope
            return shift_prediction(prediction, level, limit_norm(change, prediction.eps))

        return pushed

    def energy(self, maps: "Tensor", features: "Tensor | None") -> "Tensor":
        """How far the thing is from the wish, and the rest from the source.

        maps: (rows, queries, tokens) float, 0..1; features: (rows, c, h, w) float, unbounded.
        """
        import torch

        grids = map_to_grid(maps.transpose(1, 2), self.cells)
        before, after = _pair(grids, self.thing)
        terms = [self._thing_energy(before, after)]
        for other in self.others:
            was, now = _pair(grids, other)
            terms.append(self.params.kept / len(self.others) * unlikeness(shape(was), shape(now)))
        if features is not None:
            was, now = (appearance(*pair) for pair in zip((before, after), features, strict=False))
            terms.append(self.params.kept * APPEARANCE * unlikeness(was.detach(), now))
        return torch.stack(terms).sum()

    def _thing_energy(self, before: "Tensor", after: "Tensor") -> "Tensor":
        """The thing itself: where, how large, how present."""
        import torch

        params = self.params
        way = torch.tensor([params.right, params.down]).to(before)
        place = unlikeness(centroid(before) + way, centroid(after)) * 2
        size = unlikeness(params.size * shape(before).mean(), shape(after).mean())
        presence = unlikeness(params.presence * before.mean(), after.mean()) / before.mean()
        return place + size + presence


def _pair(grids: "Tensor", tokens: "tuple[list[int], ...]") -> "tuple[Tensor, Tensor]":
    """The mean maps (h, w) of some tokens in the source, without a gradient, and in the edit."""
    return (
        grids[SOURCE, tokens[SOURCE]].mean(0).detach(),
        grids[TARGET, tokens[TARGET]].mean(0),
    )


def centroid(attention: "Tensor") -> "Tensor":
    """The centre (x, y) of an attention map, in shares of its sides.

    attention: height x width float, 0..1. Returns (2,) of its dtype, 0..1.
    """
    import torch

    height, width = attention.shape
    across = (torch.arange(width).to(attention) + 0.5) / width
    along = (torch.arange(height).to(attention) + 0.5) / height
    total = attention.sum().clamp(min=1e-8)
    x, y = (attention.sum(0) * across).sum(), (attention.sum(1) * along).sum()
    return torch.stack([x, y]) / total


def shape(attention: "Tensor") -> "Tensor":
    """About 1 where an attention map is above half its height, about 0 elsewhere.

    attention: height x width float, 0..1. Returns the same shape and dtype, 0..1.
    """
    low, high = attention.amin(), attention.amax()
    return (SHARPNESS * ((attention - low) / (high - low).clamp(min=1e-8) - 0.5)).sigmoid()


def appearance(attention: "Tensor", features: "Tensor") -> "Tensor":
    """The mean of features over the shape of an attention map.

    attention: height x width float, 0..1; features: (c, h, w) float, unbounded, of any size.
    Returns one value a channel.
    """
    where = resize_map(shape(attention).detach(), features.shape[-2:], "bilinear")
    return (features * where).sum((-2, -1)) / where.sum()


def unlikeness(wanted: "Tensor", found: "Tensor") -> "Tensor":
    """The mean absolute difference of two tensors of one shape.

    wanted, found: height x width, (n,) or scalar, float, unbounded. Returns a scalar.
    """
    return (wanted - found).abs().mean()


def limit_norm(change: "Tensor", eps: "Tensor") -> "Tensor":
    """Shorten each row of a change to MAX_CHANGE times the length of the noise.

    change, eps: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    sides = (1, 2, 3)
    length = change.square().sum(sides, keepdim=True).sqrt()
    most = MAX_CHANGE * eps.square().sum(sides, keepdim=True).sqrt()
    return change * (most / length.clamp(min=1e-12)).clamp(max=1)
