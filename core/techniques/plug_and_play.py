"""Plug-and-Play: the edit keeps the structure of the source by its features."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionCall, AttentionLayer, AttentionStates, FeatureTap
from core.diffusion.model import Image, Model, Step
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
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
    paper: ClassVar[Paper | None] = Paper("Plug-and-Play features", "2211.12572")
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

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
        return (yield from edit.run(_KeptStructure(edit, task.params)))


class _KeptStructure(EditVariation):
    """Queries, keys and features of the edit are the source's."""

    def __init__(self, edit: PromptEdit, params: PlugAndPlay.Params) -> None:
        super().__init__(edit)
        self.params = params

    def scales(self) -> list[float]:
        return [1.0, self.params.guidance]

    def attention(self, step: EditStep) -> AttentionCall:
        return partial(self._share_queries_and_keys, step)

    def features(self, step: EditStep) -> FeatureTap:
        return partial(self._share_features, step)

    def _share_queries_and_keys(
        self,
        step: EditStep,
        place: AttentionLayer,
        query: "Tensor",
        key: "Tensor",
        value: "Tensor",
    ) -> AttentionStates:
        is_free = place.is_cross or place.share < DECODER
        if is_free or not _is_within(step, self.params.attention_kept):
            return query, key, value
        return _of_source(step, query), _of_source(step, key), value

    def _share_features(self, step: EditStep, name: str, output: "Tensor") -> "Tensor | None":
        if name != BLOCK or not _is_within(step, self.params.features_kept):
            return None
        return _of_source(step, output)


def _is_within(step: EditStep, share: float) -> bool:
    """Whether a step is in the first share of all."""
    return step.index < int(share * step.count)


def _of_source(step: EditStep, states: "Tensor") -> "Tensor":
    """The rows of the edit become those of the source."""
    changed = states.clone()
    changed[step.branches.rows(TARGET)] = states[SOURCE]
    return changed
