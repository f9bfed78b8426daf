"""Plug-and-Play: the edit keeps the structure of the source by its features."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.model import Image, Model, Step
from core.editing.prompt_edit import SOURCE, TARGET, EditParams, PromptEdit
from core.params import NegativePrompt, Range

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

BLOCK = "up_blocks.1.resnets.1.conv2"
"""What the fourth residual block of the decoder adds holds the layout, as published."""
DECODER = 0.5
"""Self-attention from this share of the network on: the second decoder layer and all after it."""


@techniques.register
class PlugAndPlay:
    """Restyle strongly and keep the structure (Plug-and-Play features, arXiv 2211.12572).

    Features of a decoder block, and for a shorter while queries and keys of the decoder's
    self-attention, are those of the source, which is seen without guidance.
    """

    id: ClassVar[str] = "plug-and-play"
    label: ClassVar[str] = "Restyle, keep structure"
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = (
            "ugly, blurry, black, low res, unrealistic"
        )
        features_kept: Annotated[
            float, Range(0, 1, "Features kept", step=0.05, help="Share of the steps.")
        ] = 0.8
        attention_kept: Annotated[
            float, Range(0, 1, "Attention kept", step=0.05, help="Share of the steps.")
        ] = 0.5

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        kept = _Kept(edit, task.params)
        scales = [1.0, task.params.guidance]
        return (yield from edit.run(kept, scales=scales, tap=kept.tap))


class _Kept:
    """The control and tap: queries, keys and features of the edit are the source's."""

    def __init__(self, edit: PromptEdit, params: PlugAndPlay.Params) -> None:
        self.edit = edit
        self.params = params

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        if place.is_cross or place.share < DECODER or not self._within(self.params.attention_kept):
            return query, key, value
        return self._of_source(query), self._of_source(key), value

    def tap(self, name: str, output: "Tensor") -> "Tensor | None":
        if name != BLOCK or not self._within(self.params.features_kept):
            return None
        return self._of_source(output)

    def _within(self, share: float) -> bool:
        return self.edit.at < int(share * self.edit.count)

    def _of_source(self, states: "Tensor") -> "Tensor":
        changed = states.clone()
        changed[self.edit.branches.rows(TARGET)] = states[SOURCE]
        return changed
