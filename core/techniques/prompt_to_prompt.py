"""Prompt-to-Prompt: the edit takes over the attention maps of the source."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionCall, AttentionLayer, IdleControl
from core.diffusion.model import Image, Model, Step
from core.editing.attention_maps import (
    AttentionMapCollector,
    MapExchange,
    latent_size,
    map_to_grid,
)
from core.editing.inversion import PathState
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import exchange_weights, find_differing_tokens
from core.params import Choice, Range, Switch

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

BLEND_START, BLEND_THRESHOLD = 0.2, 0.3


@techniques.register
class PromptToPrompt:
    """Swap, refine or stress words and keep the layout (Prompt-to-Prompt, arXiv 2208.01626).

    In early steps the edit takes the source's cross-attention maps for all positions but those of
    new words, padding included, and its self-attention maps. Emphasis acts in the same steps as the
    exchange of words. A local blend keeps the parts of the picture where neither prompt's changed
    words have high maps, as they are after the exchange. Unlike the authors' code, words behind a
    replaced one take the map of their counterpart also where the prompts' lengths differ, as the
    paper has it.
    """

    id: ClassVar[str] = "prompt-to-prompt"
    label: ClassVar[str] = "Swap words"
    paper: ClassVar[Paper | None] = Paper("Prompt-to-Prompt", "2208.01626")
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        words: Annotated[
            str,
            Choice(
                ("refine", "replace"),
                "Words",
                help="Refine: new words look for themselves. Replace: they look where the old did.",
            ),
        ] = "refine"
        cross_replace: Annotated[float, Range(0, 1, "Words kept", step=0.05)] = 0.4
        self_replace: Annotated[float, Range(0, 1, "Layout kept", step=0.05)] = 0.6
        emphasis: Annotated[
            float,
            Range(
                0,
                4,
                "Emphasis",
                step=0.1,
                help="How strongly new words act, in the steps in which words are kept.",
            ),
        ] = 2.0
        local_blend: Annotated[
            bool, Switch("Only where the words look", help="Keep the rest of the picture.")
        ] = True

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        return (yield from edit.run(_SharedMaps(edit, task.params)))


class _SharedMaps(EditVariation):
    """The target's maps become the source's; a blend keeps what no changed word attends to."""

    def __init__(self, edit: PromptEdit, params: PromptToPrompt.Params) -> None:
        super().__init__(edit)
        self.params = params
        source, target = (
            edit.model.pieces(prompt) for prompt in (params.source_prompt, params.prompt)
        )
        self.exchange = MapExchange(
            lambda length: exchange_weights(source, target, length, params.words == "replace")
        )
        self.gone, self.new = find_differing_tokens(source, target)
        self.cells = latent_size(edit.x0)
        self.collector = AttentionMapCollector(cells=self.cells, rows=slice(TARGET + 1))

    def attention(self, step: EditStep) -> AttentionCall:
        return MapControl(self, step)

    def change_maps(self, step: EditStep, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        """The maps of a layer in a step, (rows, heads, queries, keys) float, 0..1."""
        changed = maps.clone()
        if place.is_cross:
            if self._keeps_words(step):
                changed[TARGET] = self.exchange(maps[TARGET], maps[SOURCE])
                changed[TARGET, :, :, self._new(maps)] *= self.params.emphasis
            self.collector.add(place, changed)
        elif self._keeps_layout(step, maps.shape[-2]):
            changed[TARGET] = maps[SOURCE]
        return changed

    def _new(self, maps: "Tensor") -> list[int]:
        """The new tokens that the network reads."""
        return [token for token in self.new if token < maps.shape[-1]]

    def _keeps_words(self, step: EditStep) -> bool:
        """Early. The authors count one step more than the walk has."""
        return step.index < int(self.params.cross_replace * (step.count + 1))

    def _keeps_layout(self, step: EditStep, queries: int) -> bool:
        """Early, and in all layers but those at the latent's own resolution."""
        is_early = step.index < int(self.params.self_replace * step.count)
        return is_early and queries < self.cells[0] * self.cells[1]

    def after(self, step: EditStep, state: PathState) -> PathState:
        is_early = step.index < int(BLEND_START * step.count)
        if not self.params.local_blend or is_early or not self.collector.collected:
            return state
        import torch

        maps = self.collector.mean()
        gone = [token for token in self.gone if token < maps.shape[-1]]
        mask = self._where(maps[SOURCE], gone) | self._where(maps[TARGET], self._new(maps))
        return tuple(torch.cat([part[:1], part[:1].where(~mask, part[1:])]) for part in state)

    def _where(self, maps: "Tensor", tokens: list[int]) -> "Tensor":
        """Where some tokens are attended to, (1, 1, h, w) bool: above a share of the most.

        maps: (queries, tokens) float, 0..1.
        """
        import torch
        from torch.nn.functional import interpolate, max_pool2d

        if not tokens:
            return torch.zeros(1, 1, *self.cells, dtype=torch.bool, device=maps.device)
        grid = map_to_grid(maps[:, tokens].mean(1), self.cells)[None, None]
        grown = max_pool2d(grid, 3, stride=1, padding=1)
        full = interpolate(grown, size=self.cells, mode="nearest")
        return full / full.amax().clamp(min=1e-8) > BLEND_THRESHOLD


class MapControl(IdleControl):
    """The control of one step: changes maps as the variation says."""

    def __init__(self, variation: _SharedMaps, step: EditStep) -> None:
        self.variation = variation
        self.step = step

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        return self.variation.change_maps(self.step, place, maps)
