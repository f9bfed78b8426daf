"""MasaCtrl: the edit is rebuilt from the source's own textures, so that its pose can change."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.model import Image, Model, Step
from core.editing.attention_maps import has_map_side, latent_size, map_to_grid, resize_map
from core.editing.prompt_edit import SOURCE, TARGET, EditParams, PromptEdit
from core.editing.token_alignment import token_indices
from core.params import Range, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

THRESHOLD = 0.1
"""A word is where its map reaches this share of the way from its least to its most."""
UNSEEN = "This model does not tell where words look: the subject was left aside."


@techniques.register
class MasaCtrl:
    """Change pose and shape, keep the look of things (MasaCtrl, arXiv 2304.08465).

    After the first steps have laid out the new shape, late self-attention layers of the edit
    question the source: they take its keys and values, where words and picture attend together
    those of the picture alone. With a subject named, it and the background question only each
    other's like.
    """

    id: ClassVar[str] = "masactrl"
    label: ClassVar[str] = "Change pose"
    needs: ClassVar[frozenset[str]] = frozenset({"self-attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        start_step: Annotated[
            float,
            Range(0, 1, "Free layout", step=0.02, help="First share of the steps that is free."),
        ] = 4 / 50
        start_layer: Annotated[
            float,
            Range(
                0, 1, "Free layers", step=0.0625, help="First share of the network that is free."
            ),
        ] = 10 / 16
        subject: Annotated[
            str, Text("Subject", help="Words in both prompts for what moves; may stay empty.")
        ] = ""

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        control = _Apart if _is_apart(task.params, model) else _Mutual
        return (yield from edit.run(control(edit, task.params)))


def _is_apart(params: MasaCtrl.Params, model: Model) -> bool:
    """Whether a subject is named, on a model that tells where it is."""
    is_named, is_seen = bool(params.subject.strip()), "attention" in model.capabilities
    if is_named and not is_seen:
        model.notes.append(UNSEEN)
    return is_named and is_seen


class _Mutual:
    """The control: the edit takes the source's keys and values, with and against the words."""

    def __init__(self, edit: PromptEdit, params: MasaCtrl.Params) -> None:
        self.edit = edit
        self.params = params

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        if not self.acts(place):
            return query, key, value
        first = place.prompt_tokens
        return query, self._of_source(key, first), self._of_source(value, first)

    def acts(self, place: AttentionLayer) -> bool:
        late = self.edit.at >= self.params.start_step * self.edit.count
        return late and not place.is_cross and place.share >= self.params.start_layer

    def _of_source(self, states: "Tensor", prompt_tokens: int) -> "Tensor":
        """The source's rows of the picture in the edit; the prompt's tokens keep their own."""
        changed = states.clone()
        rows = self.edit.branches.rows
        changed[rows(TARGET), :, prompt_tokens:] = states[rows(SOURCE), :, prompt_tokens:]
        return changed


class _Apart(_Mutual):
    """The subject of the edit sees the subject of the source, the background its background."""

    def __init__(self, edit: PromptEdit, params: MasaCtrl.Params) -> None:
        super().__init__(edit, params)
        self.cells = latent_size(edit.x0)
        prompts = (params.source_prompt, params.prompt)
        pieces = edit.model.pieces
        self.words = [token_indices(pieces(prompt), pieces(params.subject)) for prompt in prompts]
        self.looks: list[Tensor] = []
        self.looked_at = -1

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        if place.is_cross:
            self._remember(maps)
            return maps
        if not self.looks or not all(self.words) or not self.acts(place):
            return maps
        there, here = (self._subject(branch, maps.shape[-1]) for branch in (SOURCE, TARGET))
        rows = self.edit.branches.rows(TARGET)
        changed = maps.clone()
        changed[rows] = _within(maps[rows], here[:, None] == there)
        return changed

    def _remember(self, maps: "Tensor") -> None:
        """Mean over heads of the maps near 16 a side, of this step only."""
        if self.looked_at != self.edit.at:
            self.looked_at = self.edit.at
            self.looks.clear()
        if has_map_side(maps.shape[-2], self.cells):
            self.looks.append(maps[: TARGET + 1].mean(1).detach())

    def _subject(self, branch: int, tokens: int) -> "Tensor":
        """Whether each of so many tokens of a layer is of the subject."""
        import torch

        look = torch.stack(self.looks).mean(0)[branch, :, self.words[branch]].sum(-1)
        shares = (look - look.min()) / (look.max() - look.min()).clamp(min=1e-8)
        size = map_to_grid(look.new_empty(tokens), self.cells).shape
        return resize_map(map_to_grid(shares, self.cells), size).flatten() >= THRESHOLD


def _within(maps: "Tensor", allowed: "Tensor") -> "Tensor":
    """Attention among allowed pairs (queries, keys) only; a query that has none is left alone."""
    kept = maps * allowed
    total = kept.sum(-1, keepdim=True)
    return (kept / total.clamp(min=1e-12)).where(allowed.any(-1, keepdim=True), maps)
