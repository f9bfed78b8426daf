"""Prompt-to-Prompt: the edit looks where the source looked."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.model import Image, Model, Step
from core.editing.inversion import PathState
from core.editing.prompt_edit import SOURCE, TARGET, EditParams, PromptEdit
from core.editing.token_alignment import align_tokens, find_differing_tokens
from core.params import Choice, Range, Switch

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

BLEND_SIDE = 16
"""Attention maps of about this side tell best where a word is, as published."""
BLEND_START, BLEND_THRESHOLD = 0.2, 0.3


@techniques.register
class PromptToPrompt:
    """Swap, refine or stress words and keep the layout (Prompt-to-Prompt, arXiv 2208.01626).

    Cross-attention maps of words that both prompts share, and early self-attention maps, are the
    source's; a blend keeps what neither prompt's changed words look at.
    """

    id: ClassVar[str] = "prompt-to-prompt"
    label: ClassVar[str] = "Swap words"
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False

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
            float, Range(0, 4, "Emphasis", step=0.1, help="How strongly new words act.")
        ] = 2.0
        local_blend: Annotated[
            bool, Switch("Only where the words look", help="Keep the rest of the picture.")
        ] = True

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        maps = _Maps(edit, task.params)
        return (yield from edit.run(maps, after=maps.blend if task.params.local_blend else None))


class _Maps:
    """The control: the target's maps become the source's, and where words look is remembered."""

    def __init__(self, edit: PromptEdit, params: PromptToPrompt.Params) -> None:
        self.edit = edit
        self.params = params
        source, target = (
            edit.model.pieces(words) for words in (params.source_prompt, params.prompt)
        )
        self.places = align_tokens(source, target, params.words == "replace")
        self.gone, self.new = find_differing_tokens(source, target)
        self.looks: list[Tensor] = []
        self.cells = (edit.x0.shape[-2], edit.x0.shape[-1])

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        return query, key, value

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        changed = maps.clone()
        if place.is_cross:
            self._remember(maps)
            if self.edit.at < self.params.cross_replace * self.edit.count:
                for here, there in enumerate(self.places[: maps.shape[-1]]):
                    if 0 <= there < maps.shape[-1]:
                        changed[TARGET, :, :, here] = maps[SOURCE, :, :, there]
            changed[TARGET, :, :, self.new] *= self.params.emphasis
        elif self._keeps_layout(maps.shape[-2]):
            changed[TARGET] = maps[SOURCE]
        return changed

    def _keeps_layout(self, queries: int) -> bool:
        """Early, and in all layers but those at the latent's own resolution."""
        early = self.edit.at < self.params.self_replace * self.edit.count
        return early and queries < self.cells[0] * self.cells[1]

    # Where the words that differ look

    def _remember(self, maps: "Tensor") -> None:
        """The mean over heads of the maps whose side comes nearest to 16."""
        height, width = self.cells
        shrunk = round((height * width / maps.shape[-2]) ** 0.5)
        best = max(1, min(2 ** round(_log2(min(height, width) / BLEND_SIDE)), min(height, width)))
        if shrunk == best:
            self.looks.append(maps[: TARGET + 1].mean(1).detach())

    def blend(self, i: int, state: PathState) -> PathState:
        """What no changed word looks at is the source's."""
        if i < BLEND_START * self.edit.count or not self.looks:
            return state
        import torch

        seen = torch.stack(self.looks).mean(0)
        mask = self._where(seen[SOURCE], self.gone) | self._where(seen[TARGET], self.new)
        return tuple(torch.cat([part[:1], part[:1].where(~mask, part[1:])]) for part in state)

    def _where(self, look: "Tensor", words: list[int]) -> "Tensor":
        """Where some words look (1, 1, h, w): above a share of the most."""
        import torch
        from torch.nn.functional import interpolate, max_pool2d

        height, width = self.cells
        if not words:
            return torch.zeros(1, 1, height, width, dtype=torch.bool, device=look.device)
        shrink = round((height * width / look.shape[0]) ** 0.5)
        grid = look[:, words].mean(1).view(1, 1, height // shrink, width // shrink)
        grown = max_pool2d(grid, 3, stride=1, padding=1)
        full = interpolate(grown, size=(height, width), mode="bilinear")
        return full / full.amax().clamp(min=1e-8) > BLEND_THRESHOLD


def _log2(value: float) -> float:
    import math

    return math.log2(max(1.0, value))
