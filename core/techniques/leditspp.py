"""LEDITS++: several concepts added and removed at once, each where it belongs."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionCall
from core.diffusion.model import Conditioning, Denoise, Image, Level, Model, Prediction, Step
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule, nearest_index
from core.editing.attention_maps import AttentionRecorder, latent_size, map_to_grid, resize_map
from core.editing.inversion import Branches
from core.editing.prompt_edit import (
    INVERSION,
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import token_indices
from core.params import Guidance, Prompt, Range, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

PLAIN, FIRST = 2, 3
"""The network's rows after source and target: without a prompt, and the first concept."""
LAYOUT = 0.2
"""In this noisiest share of the schedule what a concept changes is all over the picture."""
SMOOTHING = (0.2119, 0.5761, 0.2119)
"""The published kernel of 3 cells, in one direction."""


class Concept(NamedTuple):
    """Words to add to the picture (sign 1) or to remove from it (sign -1)."""

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

    Write concepts between commas, "-hat, glasses": a minus removes. Each concept acts where the
    attention maps of its words are high and where it changes the prediction most.
    """

    id: ClassVar[str] = "ledits++"
    label: ClassVar[str] = "Add and remove"
    paper: ClassVar[Paper | None] = Paper("LEDITS++", "2311.16711")
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

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
        edit = PromptEdit(task, model)
        wanted = concepts(task.params.prompt)
        variation = _Concepts if wanted else _PlainSource
        return (yield from edit.run(variation(edit, task.params, wanted)))


class _PlainSource(EditVariation):
    """Both branches follow the source prompt."""

    def __init__(
        self, edit: PromptEdit, params: LeditsPlusPlus.Params, wanted: Sequence[Concept]
    ) -> None:
        super().__init__(edit)
        self.params, self.wanted = params, wanted
        self.of_source = edit.model.embed([params.source_prompt] * 2)

    def embeddings(self) -> Conditioning:
        return self.of_source

    def scales(self) -> list[float]:
        params = self.params
        # Equal conditional and unconditional prompts give no guidance.
        scale = 1.0 if params.source_prompt == params.negative_prompt else params.guidance
        return [scale] * 2


class _Concepts(_PlainSource):
    """The source as it is, the target with every concept added where it acts."""

    def __init__(
        self, edit: PromptEdit, params: LeditsPlusPlus.Params, wanted: Sequence[Concept]
    ) -> None:
        super().__init__(edit, params, wanted)
        self.maps = ConceptMaps(edit, wanted)

    def attention(self, step: EditStep) -> AttentionCall:
        return self.maps

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        several = self._with_concepts(step.branches)
        if step.index < self.params.warmup * step.count:
            return denoise

        def guided(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            rows = [SOURCE, *[TARGET] * (FIRST - 1 + len(self.wanted))]
            self.maps.clear()
            return self._add_concepts(several(z[rows], level, label), level)

        return guided

    def _with_concepts(self, branches: Branches) -> Branches:
        """The branches, one without a prompt and one for each concept."""
        model = branches.model
        prompts = ["", *(concept.words for concept in self.wanted)]
        scales = [*branches.scales, *[1.0] * len(prompts)]
        embeddings = branches.embeddings.concatenate(model.embed(prompts))
        return Branches(model, embeddings, scales, branches.negative)

    def _add_concepts(self, rows: Prediction, level: Level) -> Prediction:
        """Source and target of a prediction, every concept added to the target."""
        threshold = self.params.threshold
        x0, eps = rows.x0[:PLAIN].clone(), rows.eps[:PLAIN].clone()
        schedule = full_schedule(self.edit.model)
        is_layout = nearest_index(schedule, level) < LAYOUT * SCHEDULE_STEPS
        for n, concept in enumerate(self.wanted):
            change = rows.eps[FIRST + n] - rows.eps[PLAIN]
            where = self.maps.where(n, threshold)
            if not is_layout:
                where = where * above(change.abs().sum(0), threshold)
            where = where * concept.sign * self.params.scale
            eps[TARGET] += where * change
            x0[TARGET] += where * (rows.x0[FIRST + n] - rows.x0[PLAIN])
        return Prediction(x0, eps)


class ConceptMaps(AttentionRecorder):
    """The control: collects the attention maps of every concept in the step being taken."""

    def __init__(self, edit: PromptEdit, wanted: Sequence[Concept]) -> None:
        self.size = latent_size(edit.x0)
        super().__init__(cells=self.size, rows=slice(FIRST, None))
        self.everywhere = edit.x0.new_ones(self.size)
        pieces = edit.model.pieces
        self.tokens = [token_indices(pieces(one.words), pieces(one.words)) for one in wanted]

    def where(self, n: int, threshold: float) -> "Tensor":
        """Where concept n is attended to most: height x width float, 0..1, each 0 or 1."""
        if not self.collected or not self.tokens[n]:
            return self.everywhere
        attention = self.mean()[n][:, self.tokens[n]].sum(-1)
        return resize_map(above(smooth(map_to_grid(attention, self.size)), threshold), self.size)


def smooth(picture: "Tensor") -> "Tensor":
    """Smooth a map with the published kernel, its edges mirrored.

    height x width float, 0..1, both at least 2, to the same.
    """
    from torch.nn.functional import conv2d, pad

    row = picture.new_tensor(SMOOTHING)
    kernel = (row[:, None] * row)[None, None]
    return conv2d(pad(picture[None, None], (1, 1, 1, 1), mode="reflect"), kernel)[0, 0]


def above(picture: "Tensor", share: float) -> "Tensor":
    """1 where a picture exceeds its quantile: everywhere at share 0, nowhere at 1.

    picture: height x width float, non-negative. Returns the same shape and dtype, each 0 or 1.
    """
    if share <= 0:
        return picture.new_ones(picture.shape)
    return (picture > picture.flatten().quantile(share)).to(picture)
