"""pix2pix-zero: another thing in the same pose, by an edit direction and attention guidance."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.model import Conditioning, Denoise, Image, Level, Model, Prediction, Step
from core.editing.attention_maps import AttentionRecorder, all_heads
from core.editing.energy_guidance import energy_gradient
from core.editing.inversion import Branches, select_rows
from core.editing.prompt_edit import (
    INVERSION,
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import find_differing_tokens
from core.params import Guidance, Range

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

SENTENCES = (
    "{}",
    "a photo of {}",
    "a picture of {}",
    "an image of {}",
    "a drawing of {}",
    "a painting of {}",
    "a view of {}",
    "this is {}",
)


@techniques.register
class Pix2PixZero:
    """Exchange one thing for another and keep its pose (pix2pix-zero, arXiv 2302.03027).

    The target embeddings are those of the source, moved by the mean difference of sentences about
    the two things. Before each step the latent takes a gradient step towards the source's
    cross-attention maps. As in the authors' code the conditional and the unconditional half of a
    pair move each by the gradient of its own maps, the mean over the heads of both; the step leads
    on from the unconditional half, and without a negative prompt guidance leads away from the
    source's.
    """

    id: ClassVar[str] = "pix2pix-zero"
    label: ClassVar[str] = "Exchange a thing"
    paper: ClassVar[Paper | None] = Paper("pix2pix-zero", "2302.03027")
    needs: ClassVar[frozenset[str]] = frozenset({"attention", "gradient"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 5.0
        inverter: Annotated[str, INVERSION] = "regularised"
        pose: Annotated[
            float, Range(0, 1, "Pose kept", step=0.01, help="How far every latent is pulled back.")
        ] = 0.1

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        return (yield from edit.run(_MovedEmbeddings(edit, task.params)))


class _MovedEmbeddings(EditVariation):
    """The target's embeddings are the source's, moved; every step is guided by maps."""

    def __init__(self, edit: PromptEdit, params: Pix2PixZero.Params) -> None:
        super().__init__(edit)
        self.rate = params.pose
        self.has_negative = bool(params.negative_prompt.strip())
        self.moved = move_embeddings(edit.model, params.source_prompt, params.prompt)

    def embeddings(self) -> Conditioning:
        return self.moved

    def negative_embeddings(self) -> Conditioning:
        return super().negative_embeddings() if self.has_negative else select_rows(self.moved, [0])

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        return _guide_by_maps(step.branches, self.rate) if self.rate else denoise


def _guide_by_maps(branches: Branches, rate: float) -> Denoise:
    """A denoiser whose edited branch first moves towards the source's cross-attention maps.

    The source is evaluated alone, for its maps; the edit's pair for the gradient, and again from
    where each half has moved.
    """
    import torch

    model, source, target = branches.model, branches.only(SOURCE), branches.only(TARGET)
    pair = _separate_pair(target)

    def pulled(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        wanted = _recorder()
        with model.attention(wanted):
            kept = source(z[:TARGET], level, label)

        def energy(shown: "Tensor") -> "Tensor":
            record = _recorder()
            with model.attention(record):
                pair(shown, level, label)
            return unlikeness(record.collected, wanted.collected)

        halves = z[TARGET:].repeat(len(pair), 1, 1, 1)
        moved = halves - rate * energy_gradient(energy, halves)
        with model.attention(_recorder()):  # Maps computed in full round otherwise.
            edited = _guide_pair(target, pair(moved, level, label), moved, level)
        return Prediction(*(torch.cat(parts) for parts in zip(kept, edited, strict=True)))

    return pulled


def _separate_pair(target: Branches) -> Branches:
    """The conditional half of a branch, and the unconditional one if guided, each a latent."""
    if not target.guided:
        return target
    embeddings = target.embeddings.concatenate(target.negative)
    return Branches(target.model, embeddings, [1.0, 1.0], target.negative)


def _guide_pair(target: Branches, seen: Prediction, moved: "Tensor", level: Level) -> Prediction:
    """The guided prediction for the unconditional half, or for the only one.

    moved: the halves, (1 or 2, c, h, w) float, unbounded.
    """
    cond, uncond = (Prediction(seen.x0[rows], seen.eps[rows]) for rows in (slice(1), slice(1, 2)))
    eps = target.apply_guidance(cond, uncond).eps
    return Prediction((moved[-1:] - level.noise * eps) / level.signal, eps)


def _recorder() -> AttentionRecorder:
    return AttentionRecorder(reduce=all_heads)


def unlikeness(maps: "list[Tensor]", wanted: "list[Tensor]") -> "Tensor":
    """Squared differences of attention maps, all layers, positions and tokens; a mean over heads.

    maps, wanted: (rows, heads, queries, tokens) float, 0..1, the conditional row and the
    unconditional one, of which those count that both have. Returns a scalar.
    """
    import torch

    layers = []
    for found, kept in zip(maps, wanted, strict=True):
        rows = min(len(found), len(kept))
        layers.append((found[:rows] - kept[:rows]).square().sum((-2, -1)).mean())
    return torch.stack(layers).sum()


def move_embeddings(model: Model, source: str, target: str) -> Conditioning:
    """The source's embeddings, and the same moved from the old thing to the new one.

    Returns tokens (2, length, width) float, unbounded.
    """
    import torch

    embeddings = model.embed([source])
    gone, new = (
        model.embed([sentence.format(thing) for sentence in SENTENCES]).tokens.mean(0, keepdim=True)
        for thing in exchanged_words(source, target)
    )
    tokens = torch.cat([embeddings.tokens, embeddings.tokens + (new - gone)])
    both = embeddings.concatenate(embeddings)
    return replace(both, prompts=(source, target), tokens=tokens)


def exchanged_words(source: str, target: str) -> tuple[str, str]:
    """The words that only one prompt has; both prompts whole where one has none of its own."""
    before, after = source.split(), target.split()
    gone, new = find_differing_tokens(before, after)
    if not gone or not new:
        return source, target
    return " ".join(before[place] for place in gone), " ".join(after[place] for place in new)
