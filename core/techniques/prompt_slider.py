"""Prompt slider: more or less of something, as a direction between two phrases."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
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
    paper: ClassVar[Paper | None] = Paper("semantic directions", "2403.17064")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

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
    """What an amount of 1 adds to each token of the prompt, (length, width) float, unbounded."""
    tokens = model.embed([params.prompt]).tokens[0]
    shift = tokens.new_zeros(tokens.shape)
    sliding = _sliding_tokens(params, model)
    for phrase, sign in ((params.more, 1), (params.less, -1)):
        prompt = f"{phrase} {params.prompt}".strip()
        with_phrase = model.embed([prompt]).tokens[0]
        counterparts = align_tokens(model.pieces(prompt), model.pieces(params.prompt))
        for here in sliding:
            if here < len(tokens) and 0 <= counterparts[here] < len(with_phrase):
                shift[here] += sign * with_phrase[counterparts[here]]
    return shift


def _sliding_tokens(params: PromptSlider.Params, model: Model) -> list[int]:
    """The token indices of the words that slide."""
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
    """Shift the target's tokens; the source keeps its own.

    embeddings: tokens (2, length, width) float, unbounded; shift: (length, width) alike.
    """
    import torch

    source, target = select_rows(embeddings, [SOURCE]), select_rows(embeddings, [TARGET])
    return replace(embeddings, tokens=torch.cat([source.tokens, target.tokens + shift]))
