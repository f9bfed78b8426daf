"""pix2pix-zero: another thing in the same pose, by an edit direction and attention guidance."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import techniques
from core.diffusion import Conditioning, Denoise, Image, Level, Model, Prediction, Step
from core.energy import Recorded, gradient
from core.params import Range
from core.prompt_edit import SOURCE, TARGET, EditParams, PromptEdit
from core.words import differing

if TYPE_CHECKING:
    from torch import Tensor

    from core.engine.task import Task

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
        rate = task.params.pose

        def guide(edit: PromptEdit, denoise: Denoise) -> Denoise:
            return _pulled(edit, denoise, rate)

        words = turned(model, task.params.source_prompt, task.params.prompt)
        return (yield from edit.run(guide=guide if rate else None, words=words))


def _pulled(edit: PromptEdit, denoise: Denoise, rate: float) -> Denoise:
    """A denoiser whose edited branch first moves towards the source's cross-attention maps."""
    sources, targets = edit.branches.rows(SOURCE), edit.branches.rows(TARGET)

    def pulled(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        def energy(shown: "Tensor") -> "Tensor":
            record = Recorded(is_cross=True)
            with edit.model.attention(record):
                denoise(shown, level, label)
            return unlikeness(record.seen, sources, targets)

        return denoise(z - rate * gradient(energy, z), level, label)

    return pulled


def unlikeness(maps: "list[Tensor]", sources: list[int], targets: list[int]) -> "Tensor":
    """Squared differences of attention maps, all layers, positions and words; a mean over heads."""
    import torch

    layers = [
        (seen[targets] - seen[sources].detach()).square().sum((-2, -1)).mean() for seen in maps
    ]
    return torch.stack(layers).sum()


def turned(model: Model, source: str, target: str) -> Conditioning:
    """The source's words, and the same moved from what goes towards what comes."""
    import torch

    words = model.embed([source])
    gone, new = (
        model.embed([sentence.format(thing) for sentence in SENTENCES]).tokens.mean(0, keepdim=True)
        for thing in exchanged(source, target)
    )
    both = torch.cat([words.tokens, words.tokens + (new - gone)])
    return replace(words.joined(words), prompts=(source, target), tokens=both)


def exchanged(source: str, target: str) -> tuple[str, str]:
    """The words that only one prompt has; both prompts whole where one has none of its own."""
    before, after = source.split(), target.split()
    gone, new = differing(before, after)
    if not gone or not new:
        return source, target
    return " ".join(before[place] for place in gone), " ".join(after[place] for place in new)
