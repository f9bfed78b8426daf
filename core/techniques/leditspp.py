"""LEDITS++: several concepts added and removed at once, each where it belongs."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from core.catalog import techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.model import Denoise, Image, Level, Model, Prediction, Step
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule, nearest_index
from core.editing.attention_maps import has_map_side, latent_size, map_to_grid, resize_map
from core.editing.inversion import Branches
from core.editing.prompt_edit import INVERSION, SOURCE, TARGET, EditParams, PromptEdit
from core.editing.token_alignment import token_indices
from core.params import Guidance, Prompt, Range, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

PLAIN, FIRST = 2, 3
"""The network's rows after source and target: without words, and the first concept."""
LAYOUT = 0.2
"""In this noisiest share of the schedule what a concept changes is all over the picture."""
SMOOTHING = (0.2119, 0.5761, 0.2119)
"""The published kernel of 3 cells, in one direction."""


class Concept(NamedTuple):
    words: str
    sign: int


def concepts(prompt: str) -> list[Concept]:
    """Words between commas; a leading minus removes what they say."""
    parts = [part.strip() for part in prompt.split(",")]
    found = [Concept(part.lstrip("- "), -1 if part.startswith("-") else 1) for part in parts]
    return [concept for concept in found if concept.words]


@techniques.register
class LeditsPlusPlus:
    """Add and remove things, each only where it belongs (LEDITS++, arXiv 2311.16711).

    Write concepts between commas, "-hat, glasses": a minus removes. Each acts where its words
    look and where it changes most.
    """

    id: ClassVar[str] = "ledits++"
    label: ClassVar[str] = "Add and remove"
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Params(EditParams):
        prompt: Annotated[
            str, Prompt("Concepts", lines=2, help="Between commas; a leading minus removes.")
        ] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.01, help="0: the picture. 1: the prompt.")
        ] = 0.88
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 3.5
        inverter: Annotated[str, INVERSION] = "ledits++"
        steps: Annotated[int, Steps(2, 100, "Steps")] = 34
        scale: Annotated[float, Range(0, 20, "Concept strength", step=0.5)] = 5.0
        threshold: Annotated[
            float, Range(0, 1, "Locality", step=0.05, help="Share of the picture left alone.")
        ] = 0.9
        warmup: Annotated[
            float, Range(0, 1, "Warm-up", step=0.05, help="First share of steps without concepts.")
        ] = 0.0

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        params = task.params
        edit = PromptEdit(task, model)
        wanted = concepts(params.prompt)
        words = model.embed([params.source_prompt] * 2)
        # Guidance towards what it leads away from is none.
        scale = 1.0 if params.source_prompt == params.negative_prompt else params.guidance
        scales = [scale] * 2
        if not wanted:
            return (yield from edit.run(scales=scales, words=words))
        looks = ConceptMaps(edit, wanted)
        guide = partial(_guide_concepts, params, wanted, looks)
        return (yield from edit.run(looks, guide=guide, scales=scales, words=words))


def _guide_concepts(
    params: LeditsPlusPlus.Params,
    wanted: Sequence[Concept],
    looks: "ConceptMaps",
    edit: PromptEdit,
    denoise: Denoise,
) -> Denoise:
    """The source as it is, the target with every concept added where it acts."""
    branches, model = edit.branches, edit.model
    words = branches.words.concatenate(model.embed(["", *(concept.words for concept in wanted)]))
    scales = [*branches.scales, *[1.0] * (1 + len(wanted))]
    several = Branches(model, words, scales, branches.against)

    def guided(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        rows = [SOURCE, *[TARGET] * (FIRST - 1 + len(wanted))]
        looks.forget()
        seen = several(z[rows], level, label)
        x0, eps = seen.x0[:PLAIN].clone(), seen.eps[:PLAIN].clone()
        is_layout = nearest_index(full_schedule(model), level) < LAYOUT * SCHEDULE_STEPS
        for n, concept in enumerate(wanted):
            change = seen.eps[FIRST + n] - seen.eps[PLAIN]
            where = looks.where(n, params.threshold)
            if not is_layout:
                where = where * above(change.abs().sum(0), params.threshold)
            where = where * concept.sign * params.scale
            eps[TARGET] += where * change
            x0[TARGET] += where * (seen.x0[FIRST + n] - seen.x0[PLAIN])
        return Prediction(x0, eps)

    return guided if edit.at >= params.warmup * edit.count else denoise


class ConceptMaps:
    """The control: remembers where each concept's words look in the step being taken."""

    def __init__(self, edit: PromptEdit, wanted: Sequence[Concept]) -> None:
        self.everywhere = edit.x0.new_ones(latent_size(edit.x0))
        self.cells = latent_size(edit.x0)
        pieces = edit.model.pieces
        self.words = [token_indices(pieces(one.words), pieces(one.words)) for one in wanted]
        self.maps_seen: list[Tensor] = []

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        return query, key, value

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        if place.is_cross and maps.shape[0] > FIRST and has_map_side(maps.shape[-2], self.cells):
            self.maps_seen.append(maps[FIRST:].mean(1).detach())
        return maps

    def forget(self) -> None:
        self.maps_seen.clear()

    def where(self, n: int, threshold: float) -> "Tensor":
        """Where concept n's words look most (height, width), 1 or 0."""
        import torch

        if not self.maps_seen or not self.words[n]:
            return self.everywhere
        look = torch.stack(self.maps_seen).mean(0)[n][:, self.words[n]].sum(-1)
        return resize_map(above(smooth(map_to_grid(look, self.cells)), threshold), self.cells)


def smooth(picture: "Tensor") -> "Tensor":
    """A picture (height, width) under the published kernel."""
    from torch.nn.functional import conv2d, pad

    row = picture.new_tensor(SMOOTHING)
    kernel = (row[:, None] * row)[None, None]
    return conv2d(pad(picture[None, None], (1, 1, 1, 1), mode="replicate"), kernel)[0, 0]


def above(picture: "Tensor", share: float) -> "Tensor":
    """1 where a picture exceeds its quantile: everywhere at share 0, nowhere at 1."""
    if share <= 0:
        return picture.new_ones(picture.shape)
    return (picture > picture.flatten().quantile(share)).to(picture)
