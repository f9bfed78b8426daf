"""MasaCtrl: the edit is rebuilt from the source's own textures, so that its pose can change."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionCall, AttentionLayer, AttentionStates
from core.diffusion.model import Image, Model, Step
from core.editing.attention_maps import (
    AttentionMapCollector,
    latent_size,
    map_to_grid,
    resize_map,
)
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
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
    paper: ClassVar[Paper | None] = Paper("MasaCtrl", "2304.08465")
    needs: ClassVar[frozenset[str]] = frozenset({"self-attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

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
        variation = _Apart if _is_apart(task.params, model) else _Mutual
        return (yield from edit.run(variation(edit, task.params)))


def _is_apart(params: MasaCtrl.Params, model: Model) -> bool:
    """Whether a subject is named, and the model's attention maps show where it is."""
    is_named, has_maps = bool(params.subject.strip()), "attention" in model.capabilities
    if is_named and not has_maps:
        model.notes.append(UNSEEN)
    return is_named and has_maps


class _Mutual(EditVariation):
    """The edit takes the source's keys and values."""

    def __init__(self, edit: PromptEdit, params: MasaCtrl.Params) -> None:
        super().__init__(edit)
        self.params = params

    def attention(self, step: EditStep) -> AttentionCall:
        return MutualControl(step, self.params)


class MutualControl:
    """The control of one step, for conditional and unconditional rows alike."""

    def __init__(self, step: EditStep, params: MasaCtrl.Params) -> None:
        self.step = step
        self.params = params

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        if not self.acts(place):
            return query, key, value
        first = place.prompt_tokens
        return query, self._of_source(key, first), self._of_source(value, first)

    def acts(self, place: AttentionLayer) -> bool:
        is_late = self.step.index >= self.params.start_step * self.step.count
        return is_late and not place.is_cross and place.share >= self.params.start_layer

    def _of_source(self, states: "Tensor", prompt_tokens: int) -> "Tensor":
        """The source's rows of the picture in the edit; the prompt's tokens keep their own."""
        changed = states.clone()
        rows = self.step.branches.rows
        changed[rows(TARGET), :, prompt_tokens:] = states[rows(SOURCE), :, prompt_tokens:]
        return changed


class _Apart(_Mutual):
    """The edit's subject attends to the source's subject, its background to the background."""

    def __init__(self, edit: PromptEdit, params: MasaCtrl.Params) -> None:
        super().__init__(edit, params)
        self.subject = Subject(edit, params)

    def attention(self, step: EditStep) -> AttentionCall:
        return ApartControl(step, self.params, self.subject)


class ApartControl(MutualControl):
    """The control of one step that also keeps subject and background apart."""

    def __init__(self, step: EditStep, params: MasaCtrl.Params, subject: "Subject") -> None:
        super().__init__(step, params)
        self.subject = subject

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        if place.is_cross:
            self.subject.collect(self.step, place, maps)
            return maps
        if not self.subject.is_known or not self.acts(place):
            return maps
        keys, queries = (self.subject.where(row, maps.shape[-1]) for row in (SOURCE, TARGET))
        rows = self.step.branches.rows(TARGET)
        changed = maps.clone()
        changed[rows] = _within(maps[rows], queries[:, None] == keys)
        return changed


class Subject:
    """Where the subject is in source and edit, by the attention maps of its words."""

    def __init__(self, edit: PromptEdit, params: MasaCtrl.Params) -> None:
        self.cells = latent_size(edit.x0)
        self.collector = AttentionMapCollector(cells=self.cells, rows=slice(TARGET + 1))
        prompts = (params.source_prompt, params.prompt)
        pieces = edit.model.pieces
        self.tokens = [token_indices(pieces(prompt), pieces(params.subject)) for prompt in prompts]
        self._collected_at = -1

    @property
    def is_known(self) -> bool:
        return bool(self.collector.collected) and all(self.tokens)

    def collect(self, step: EditStep, place: AttentionLayer, maps: "Tensor") -> None:
        """Of this step only; the maps of the step before count until its first ones come.

        maps: (rows, heads, queries, tokens) float, 0..1.
        """
        if self._collected_at != step.index:
            self._collected_at = step.index
            self.collector.clear()
        self.collector.add(place, maps)

    def where(self, branch: int, cells: int) -> "Tensor":
        """Whether each of n cells of a layer is of the subject: (n,) bool, 0..1."""
        attention = self.collector.mean()[branch, :, self.tokens[branch]].sum(-1)
        low, high = attention.min(), attention.max()
        shares = (attention - low) / (high - low).clamp(min=1e-8)
        size = map_to_grid(attention.new_empty(cells), self.cells).shape
        return resize_map(map_to_grid(shares, self.cells), size).flatten() >= THRESHOLD


def _within(maps: "Tensor", allowed: "Tensor") -> "Tensor":
    """Attention among allowed pairs (queries, keys) only; a query that has none is left alone."""
    kept = maps * allowed
    total = kept.sum(-1, keepdim=True)
    return (kept / total.clamp(min=1e-12)).where(allowed.any(-1, keepdim=True), maps)
