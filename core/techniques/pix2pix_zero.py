"""pix2pix-zero: another thing in the same pose, by an edit direction and attention guidance."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion.model import Conditioning, Denoise, Image, Level, Model, Prediction, Step
from core.editing.attention_maps import AttentionRecorder, all_heads
from core.editing.energy_guidance import energy_gradient
from core.editing.inversion import Branches
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import find_differing_tokens
from core.params import Range

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

    The target's words are the source's moved by the mean difference of sentences about the two
    things; every latent first takes a gradient step towards the source's cross-attention maps.
    """

    id: ClassVar[str] = "pix2pix-zero"
    label: ClassVar[str] = "Exchange a thing"
    needs: ClassVar[frozenset[str]] = frozenset({"attention", "gradient"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
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
        self.moved = move_embeddings(edit.model, params.source_prompt, params.prompt)

    def embeddings(self) -> Conditioning:
        return self.moved

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        return _guide_by_maps(step.branches, self.rate) if self.rate else denoise


def _guide_by_maps(branches: Branches, rate: float) -> Denoise:
    """A denoiser whose edited branch first moves towards the source's cross-attention maps.

    The source is seen alone, for its maps; the edit by its words alone, for the slope; and then
    guided from where it has moved.
    """
    import torch

    model, source, target = branches.model, branches.only(SOURCE), branches.only(TARGET)
    cond = _cond_denoiser(branches, target)

    def pulled(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        wanted = _recorder()
        with model.attention(wanted):
            kept = source(z[:TARGET], level, label)

        def energy(shown: "Tensor") -> "Tensor":
            record = _recorder()
            with model.attention(record):
                cond(shown, level, label)
            return unlikeness(record.collected, wanted.collected)

        moved = z[TARGET:] - rate * energy_gradient(energy, z[TARGET:])
        with model.attention(_recorder()):  # Maps computed in full round otherwise.
            edited = target(moved, level, label)
        return Prediction(*(torch.cat(pair) for pair in zip(kept, edited, strict=True)))

    return pulled


def _recorder() -> AttentionRecorder:
    return AttentionRecorder(reduce=all_heads)


def _cond_denoiser(branches: Branches, target: Branches) -> Denoise:
    """The edit's words alone. Where they are the source's, in a call shaped like the source's:

    only then do both show the same maps to the last bit, and nothing is pulled by rounding.
    """
    is_same = len(set(branches.embeddings.prompts)) == 1
    if is_same:
        return target
    return Branches(branches.model, target.embeddings, [1.0], target.negative)


def unlikeness(maps: "list[Tensor]", wanted: "list[Tensor]") -> "Tensor":
    """Squared differences of attention maps, all layers, positions and words; a mean over heads.

    The first row of each is conditional; others, unconditional, do not count.
    """
    import torch

    pairs = zip(maps, wanted, strict=True)
    layers = [(edited[:1] - kept[:1]).square().sum((-2, -1)).mean() for edited, kept in pairs]
    return torch.stack(layers).sum()


def move_embeddings(model: Model, source: str, target: str) -> Conditioning:
    """The source's words, and the same moved from what goes towards what comes."""
    import torch

    embeddings = model.embed([source])
    gone, new = (
        model.embed([sentence.format(thing) for sentence in SENTENCES]).tokens.mean(0, keepdim=True)
        for thing in exchanged_words(source, target)
    )
    both = torch.cat([embeddings.tokens, embeddings.tokens + (new - gone)])
    return replace(embeddings.concatenate(embeddings), prompts=(source, target), tokens=both)


def exchanged_words(source: str, target: str) -> tuple[str, str]:
    """The words that only one prompt has; both prompts whole where one has none of its own."""
    before, after = source.split(), target.split()
    gone, new = find_differing_tokens(before, after)
    if not gone or not new:
        return source, target
    return " ".join(before[place] for place in gone), " ".join(after[place] for place in new)
