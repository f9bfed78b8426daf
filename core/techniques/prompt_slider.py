"""Prompt slider: more or less of something, as a direction between two phrases."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.model import Conditioning, Denoise, Image, Model, Step
from core.editing.inversion import Branches, select_rows
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import align_tokens, token_indices
from core.params import Range, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task


@techniques.register
class PromptSlider:
    """Slide between two phrases, such as young and old (semantic directions, arXiv 2403.17064).

    The difference that the phrases make to the prompt's words, told by embedding both, is added
    to them by the amount; early steps without it keep the layout. Concept Sliders (arXiv
    2311.12092) train such a direction instead.
    """

    id: ClassVar[str] = "prompt-slider"
    label: ClassVar[str] = "Slide between phrases"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        less: Annotated[str, Text("Less", help="Such as: young")] = ""
        more: Annotated[str, Text("More", help="Such as: old")] = ""
        subject: Annotated[
            str, Text("Of what", help="Words of the prompt that slide; all when empty.")
        ] = ""
        amount: Annotated[float, Range(-3, 3, "Amount", step=0.1)] = 1.0
        delay: Annotated[
            float, Range(0, 1, "Delay", step=0.05, help="First share of steps without sliding.")
        ] = 0.2

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        edit = PromptEdit(task, model)
        shift = params.amount * direction(params, model)
        return (yield from edit.run(_Slide(edit, shift, params.delay)))


def direction(params: PromptSlider.Params, model: Model) -> "Tensor":
    """What sliding by one adds to each token of the prompt (length, width)."""
    tokens = model.embed([params.prompt]).tokens[0]
    found = tokens.new_zeros(tokens.shape)
    wanted = _places(params, model)
    for phrase, sign in ((params.more, 1), (params.less, -1)):
        sentence = f"{phrase} {params.prompt}".strip()
        there = model.embed([sentence]).tokens[0]
        indices = align_tokens(model.pieces(sentence), model.pieces(params.prompt))
        for here in wanted:
            if here < len(tokens) and 0 <= indices[here] < len(there):
                found[here] += sign * there[indices[here]]
    return found


def _places(params: PromptSlider.Params, model: Model) -> list[int]:
    """Where in the prompt the words stand that slide."""
    pieces = model.pieces(params.prompt)
    return token_indices(pieces, model.pieces(params.subject) if params.subject.strip() else pieces)


class _Slide(EditVariation):
    """The target's embeddings are shifted once the first steps are past."""

    def __init__(self, edit: PromptEdit, shift: "Tensor", delay: float) -> None:
        super().__init__(edit)
        self.shift, self.delay = shift, delay

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        if step.index < self.delay * step.count or not bool(self.shift.any()):
            return denoise
        given = step.branches
        shifted = shift_embeddings(given.embeddings, self.shift)
        return Branches(given.model, shifted, given.scales, given.negative)


def shift_embeddings(embeddings: Conditioning, shift: "Tensor") -> Conditioning:
    """The target's tokens moved; the source keeps its own."""
    import torch

    source, target = select_rows(embeddings, [SOURCE]), select_rows(embeddings, [TARGET])
    return replace(embeddings, tokens=torch.cat([source.tokens, target.tokens + shift]))
