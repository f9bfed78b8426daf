"""RF-Edit: down the flow under another prompt, early with the values of the picture's inversion."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from core import catalog
from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.latent_masks import last_steps, number_steps, soft_latent_mask
from core.diffusion.model import Denoise, Image, Level, Model, Prediction, Step
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import Branches, InvertedPath, PathState, Source, invertible_levels
from core.editing.prompt_warnings import warn_about_prompt
from core.params import (
    Choice,
    Guidance,
    NegativePrompt,
    Prompt,
    Range,
    SourcePrompt,
    Steps,
    Strength,
)

if TYPE_CHECKING:
    from torch import Tensor

    from core.editing.prompt_edit import Walk
    from core.task import Task

    Values = dict[tuple["Call", int], Tensor]
    CallControl = Callable[["Call", AttentionLayer, Tensor, Tensor, Tensor], AttentionStates]

catalog.load("inverters")
FIREFLOW = "fireflow"
FIRST_SINGLE, LAST_SINGLE = 0.33, 0.68
"""Shares of FLUX's 57 layers before its single-stream blocks, and before number 20 of these."""
SOLVERS = ("rf-solver", FIREFLOW)
SOLVER = Choice(
    SOLVERS,
    "Solver",
    "FireFlow makes half the calls and does with few steps: 8 as published.",
    tuple(catalog.inverters[name].label for name in SOLVERS),
    brings=(
        (FIREFLOW, "steps", 8),
        (FIREFLOW, "shared_steps", 1),
        (FIREFLOW, "start_layer", FIRST_SINGLE),
        ("rf-solver", "steps", 25),
        ("rf-solver", "shared_steps", 4),
        ("rf-solver", "start_layer", LAST_SINGLE),
    ),
)


@techniques.register
class RfEdit:
    """Change what the picture shows, its structure kept (RF-Solver-Edit, arXiv 2411.04746).

    The picture is inverted under its own prompt. On the way down, the first steps run under the
    new prompt but reuse the self-attention values that the inversion had there, step by step and
    call by call; FireFlow (arXiv 2412.07517) does so at one call a step. Where words and picture
    attend together the values of the words are the inversion's too, as published. Only layers in
    the last part of the network take part: with RF-Solver FLUX's single-stream blocks above number
    19, which are layers 39 to 56 of 57, with FireFlow all of these blocks; by the same share blocks
    11 to 15 of the 16 in Stable Diffusion's UNet, and the last third of Stable Diffusion 3.

    Four shared steps are ours, from the 2 to 8 that the authors advise; their script's default of
    20 of 25 leaves the edit little freedom. Both papers have guidance 2 to 5 on the way down.
    """

    id: ClassVar[str] = "rf-edit"
    label: ClassVar[str] = "Change along the flow"
    paper: ClassVar[Paper | None] = Paper("RF-Solver-Edit", "2411.04746")
    needs: ClassVar[frozenset[str]] = frozenset({"self-attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows", help="What is there now.")] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="0: the picture. 1: the prompt.")
        ] = 1.0
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5, embedded=5.0)] = 5.0
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
        solver: Annotated[str, SOLVER] = "rf-solver"
        shared_steps: Annotated[
            int, Range(0, 100, "Shared steps", help="More keep it closer; 2 to 8 are usual.")
        ] = 4
        start_layer: Annotated[
            float,
            Range(0, 1, "Free layers", step=0.02, help="First share of the network that is free."),
        ] = LAST_SINGLE
        steps: Annotated[int, Steps(2, 100, "Steps")] = 25

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = _Edit(task, model)
        if not edit.count:
            return model.decode(edit.x0)
        warn_about_prompt(task, model, edit.x0)
        z = yield from number_steps(edit.walk(), edit.total)
        return model.decode(z)


class Call(NamedTuple):
    """A network call of a walk: of the step from levels[step] on, in its middle or at its start."""

    step: int
    is_middle: bool


def calls_of(solver: str, steps: Sequence[int]) -> list[Call]:
    """The network calls of a walk over some steps; FireFlow's only start is that of the walk."""
    starts = steps[:1] if solver == FIREFLOW else steps
    return [Call(i, middle) for i in steps for middle in (False, True) if middle or i in starts]


@dataclass(frozen=True)
class InversionRecord:
    """What the inversion leaves: a path, and by step the velocity that it took.

    ``values`` are those of words and picture by call and layer, in main memory.
    """

    path: InvertedPath
    velocities: "dict[int, Tensor]"
    values: "Values"

    @property
    def nbytes(self) -> int:
        return sum(kept.nbytes for kept in (*self.velocities.values(), *self.values.values()))


@dataclass(frozen=True)
class _RecordedCalls(Source):
    """A source whose denoiser is wrapped by ``watch``."""

    watch: Callable[[Denoise], Denoise]

    def denoiser(self, scale: float = 1.0) -> Denoise:
        return self.watch(super().denoiser(scale))


class _Edit:
    """The edit of one picture, of ``count`` steps either way."""

    def __init__(self, task: "Task[RfEdit.Params]", model: Model) -> None:
        self.task, self.model, self.params = task, model, task.params
        self.x0 = model.encode(task.image)
        self.levels = last_steps(
            invertible_levels(model.levels(self.params.steps)), self.params.strength
        )
        self.count = len(self.levels) - 1
        self.mask = soft_latent_mask(task.mask, self.x0)
        self.inverter = catalog.inverters[self.params.solver]()

    @property
    def total(self) -> int:
        """How many steps a run is, the way up included where it is not known yet."""
        is_known = self._key in self.model.cache
        return self.count + (0 if is_known else self.inverter.calls(self.count))

    @property
    def _key(self) -> tuple[object, ...]:
        params, task = self.params, self.task
        walk = (params.solver, params.steps, params.strength)
        shared = (params.shared_steps, params.start_layer)
        return (RfEdit.id, self.model.identity, task.image_key, params.source_prompt, walk, shared)

    def walk(self) -> "Walk":
        known: InversionRecord | None = None
        if self._key in self.model.cache:
            known = self.model.cache.get(self._key, lambda: None)
        return (yield from self._walk_down(known or (yield from self._invert())))

    # The way up

    def _invert(self) -> "Generator[Tensor, None, InversionRecord]":
        values: Values = {}
        velocities: list[Tensor] = []
        calls = calls_of(self.params.solver, range(self.count)[::-1])

        def watch(denoise: Denoise) -> Denoise:
            return record_velocities(
                self._with_control(denoise, calls, partial(self._keep, values)), velocities
            )

        path = yield from self.inverter.run(self._source(watch))
        steps = {c.step: v for c, v in zip(calls, velocities, strict=True) if c.is_middle}
        record = InversionRecord(path, steps, values)
        # A larger one would push everything else out of the cache, and be the next to go.
        if record.nbytes < self.model.cache.budget:
            self.model.cache.put(self._key, record)
        return record

    def _source(self, watch: Callable[[Denoise], Denoise]) -> Source:
        prompt = self.model.embed([self.params.source_prompt])
        negative = self.model.embed([self.params.negative_prompt])
        noise = partial(self.task.noise, self.x0)
        return _RecordedCalls(self.model, self.x0, prompt, self.levels, 1.0, negative, noise, watch)

    def _keep(
        self,
        values: "Values",
        call: Call,
        place: AttentionLayer,
        query: "Tensor",
        key: "Tensor",
        value: "Tensor",
    ) -> AttentionStates:
        if not place.is_cross and place.share >= self.params.start_layer:
            values[call, place.number] = value[:1].to("cpu", copy=True)
        return query, key, value

    # The way down

    def _walk_down(self, record: InversionRecord) -> "Walk":
        calls = calls_of(self.params.solver, range(self.count))
        denoise = self._with_control(self._branch(), calls, partial(_share_values, record.values))
        state = record.path.begin(1)
        for i, source in enumerate(self._states(record)):
            state, x0 = record.path.step(i, state, denoise)
            pairs = zip(source, state, strict=False)
            state = tuple(kept.lerp(part, self.mask) for kept, part in pairs)
            yield x0
        return record.path.latent(state)

    def _branch(self) -> Branches:
        """The prompt as the only branch, guided."""
        prompts = (self.params.prompt, self.params.negative_prompt)
        prompt, negative = (self.model.embed([text]) for text in prompts)
        return Branches(self.model, prompt, [self.params.guidance], negative)

    def _states(self, record: InversionRecord) -> list[PathState]:
        """The source after every step down: its latent, and the velocity of that step."""
        flow = Flow(self.model, self.levels)
        states: list[PathState] = []
        x = flow.from_model_latent(self.x0, flow.times[-1])
        for i in reversed(range(self.count)):
            here, there = flow.times[i + 1], flow.times[i]
            velocity = record.velocities[i]
            states.append((flow.to_model_latent(x, here), velocity))
            x = x + (there - here) * velocity
        return states[::-1]

    def _with_control(
        self, denoise: Denoise, calls: Sequence[Call], control: "CallControl"
    ) -> Denoise:
        """A denoiser whose attention layers are under a control in the calls of shared steps."""
        remaining = iter(calls)

        def controlled(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            call = next(remaining)
            if call.step >= self.params.shared_steps:
                return denoise(z, level, label)
            with self.model.attention(partial(control, call)):
                return denoise(z, level, label)

        return controlled


def _share_values(
    values: "Values",
    call: Call,
    place: AttentionLayer,
    query: "Tensor",
    key: "Tensor",
    value: "Tensor",
) -> AttentionStates:
    """The kept values in every row, conditional and unconditional."""
    kept = values.get((call, place.number))
    if kept is None:
        return query, key, value
    return query, key, kept.to(value).expand_as(value)


def record_velocities(denoise: Denoise, velocities: "list[Tensor]") -> Denoise:
    """A denoiser that appends the velocity of every call: (b, c, h, w) float, unbounded."""

    def record(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        prediction = denoise(z, level, label)
        velocities.append(prediction.eps - prediction.x0)
        return prediction

    return record
