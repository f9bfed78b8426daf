"""Editing by prompts: invert the picture, then walk down with a source and a target branch.

What all such edits share is in PromptEdit: parameters, strength, the region, the cache of inverted
paths, progress. What a technique does differently is its EditVariation.
"""

from collections.abc import Generator, Hashable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from core import catalog
from core.diffusion.attention import AttentionCall, FeatureTap
from core.diffusion.latent_masks import last_steps, number_steps, soft_latent_mask
from core.diffusion.model import Conditioning, Denoise, Image, Levels, Model, Step
from core.editing.inversion import (
    Branches,
    InvertedPath,
    PathState,
    Source,
    invertible_levels,
    levels_with_signal,
)
from core.editing.prompt_warnings import warn_about_prompt
from core.errors import TechniqueError
from core.params import Choice, Guidance, NegativePrompt, Prompt, SourcePrompt, Steps, Strength

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

catalog.load("inverters")
INVERTERS = tuple(kind.id for kind in catalog.inverters)
INVERSION = Choice(
    INVERTERS,
    "Inversion",
    "How the picture is traced back to noise.",
    tuple(kind.label for kind in catalog.inverters),
)

SOURCE, TARGET = 0, 1

Walk = Generator["Tensor", None, "Tensor"]


@dataclass(frozen=True)
class EditParams:
    """The parameters that all prompt edits share, in the order of the form."""

    prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
    source_prompt: Annotated[
        str,
        SourcePrompt("Picture shows", help="What is there now; the words that differ are edited."),
    ] = ""
    strength: Annotated[
        float, Strength(0, 1, "Strength", step=0.05, help="0: the picture. 1: the prompt.")
    ] = 1.0
    guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 7.5
    negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
    inverter: Annotated[str, INVERSION] = "direct"
    steps: Annotated[int, Steps(2, 100, "Steps")] = 50


@dataclass(frozen=True)
class EditStep:
    """One step of the walk down: ``index`` of ``count`` in all, and the branches that take it."""

    index: int
    count: int
    branches: Branches


class EditVariation:
    """What a technique does differently from the plain edit; by default nothing.

    ``start`` is called before the walk down, ``guide``, ``attention`` and ``features`` before each
    of its steps, ``after`` behind each.
    """

    def __init__(self, edit: "PromptEdit") -> None:
        self.edit = edit

    def embeddings(self) -> Conditioning:
        """The prompt embeddings of every branch, those of the source first.

        Their tokens are (branches, length, width) float, unbounded.
        """
        return self.edit.prompt_embeddings()

    def negative_embeddings(self) -> Conditioning:
        """What guidance leads away from where the path says nothing, (1, length, width) tokens."""
        return self.edit.model.embed([self.edit.params.negative_prompt])

    def scales(self) -> list[float]:
        """The guidance scale of every branch; inverters trace back with that of the source."""
        return self.edit.scales()

    def start(self, state: PathState) -> PathState:
        """The state of the branches before the first step, (branches, c, h, w) float, unbounded."""
        return state

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        """The denoiser that a step uses in place of its branches."""
        return denoise

    def attention(self, step: EditStep) -> AttentionCall | None:
        """The control of the attention layers in a step."""
        return None

    def features(self, step: EditStep) -> FeatureTap | None:
        """The tap of the network's blocks in a step."""
        return None

    def after(self, step: EditStep, state: PathState) -> PathState:
        """The state of the branches behind a step, (branches, c, h, w) float, unbounded."""
        return state


class PromptEdit:
    """One edit of one picture; ``run`` is the whole technique.

    The walk down has ``count`` steps. ``edits`` is how many branches there are besides the source.
    Raises TechniqueError where the inverter needs what the model lacks.
    """

    def __init__(self, task: "Task[Any]", model: Model, edits: int = 1) -> None:
        self.task = task
        self.model = model
        self.params: EditParams = task.params
        self.edits = edits
        self.x0 = model.encode(task.image)
        self.mask = soft_latent_mask(task.mask, self.x0)
        inverter = catalog.inverters[self.params.inverter]
        self.levels = self._levels(inverter.needs_signal)
        self.count = len(self.levels) - 1
        missing = inverter.needs - model.capabilities
        if missing:
            lacks = ", ".join(sorted(missing))
            raise TechniqueError(f"{inverter.label} needs a model with {lacks}; choose another.")
        self.inverter = inverter()

    def _levels(self, needs_signal: bool) -> Levels:
        whole = invertible_levels(self.model.levels(self.params.steps))
        if needs_signal:
            whole = levels_with_signal(whole)
        return last_steps(whole, self.params.strength)

    def prompt_embeddings(self) -> Conditioning:
        """The embeddings of the source prompt, and of the prompt once for every edit.

        Their tokens are (branches, length, width) float, unbounded.
        """
        params = self.params
        return self.model.embed([params.source_prompt, *[params.prompt] * self.edits])

    def scales(self) -> list[float]:
        """The guidance scale of every branch."""
        return [self.params.guidance] * (1 + self.edits)

    # The run

    def total(self, guidance: float) -> int:
        """How many steps a run is, those of the inversion included where it is not known yet.

        guidance is the scale of the source.
        """
        is_known = not self.count or self._key(guidance) in self.model.cache
        return self.count + (0 if is_known else self.inverter.calls(self.count))

    def run(self, variation: EditVariation | None = None) -> Generator[Step, None, Image]:
        """Yield a Step after each network step; return the edited picture.

        Without a variation it is the plain edit. The picture is height x width x 3 float32, 0..1.
        """
        if not self.count:
            return self.model.decode(self.x0)
        warn_about_prompt(self.task, self.model, self.x0)
        variation = variation or EditVariation(self)
        scales = variation.scales()
        total = self.total(scales[SOURCE])
        with closing(self._walk(variation, scales)) as walking:
            z = yield from number_steps(walking, total)
        return self.model.decode(z)

    def _walk(self, variation: EditVariation, scales: list[float]) -> Walk:
        """Up, where the path is not known yet, and down."""
        embeddings, guidance = variation.embeddings(), scales[SOURCE]
        path = self._known_path(guidance) or (yield from self._invert(guidance))
        negative = variation.negative_embeddings()
        state = variation.start(path.begin(len(scales)))
        for i in range(self.count):
            branches = Branches(
                self.model,
                path.prompt_embeddings(i, embeddings),
                scales,
                path.negative_embeddings(i) or negative,
            )
            step = EditStep(i, self.count, branches)
            denoise = variation.guide(step, branches)
            with ExitStack() as stack:
                self._enter(stack, variation, step)
                state, x0 = path.step(i, state, denoise)
            state = variation.after(step, self._restore_outside(state))
            yield x0[TARGET:]
        return path.latent(state)[TARGET : TARGET + 1]

    def _enter(self, stack: ExitStack, variation: EditVariation, step: EditStep) -> None:
        """Put the network under the variation's control and tap until the stack is left."""
        control, tap = variation.attention(step), variation.features(step)
        if control is not None:
            stack.enter_context(self.model.attention(control))
        if tap is not None:
            stack.enter_context(self.model.features(tap))

    def _restore_outside(self, state: PathState) -> PathState:
        """Outside the painted region every branch is the source."""
        if bool((self.mask >= 1).all()):
            return state
        return restore_source_outside(state, self.mask)

    # The inverted picture

    def inversion_source(self, guidance: float) -> Source:
        """What the inverter gets."""
        params = self.params
        return Source(
            self.model,
            self.x0,
            self.model.embed([params.source_prompt]),
            self.levels,
            guidance,
            self.model.embed([params.negative_prompt]),
            lambda role, step: self.task.noise(self.x0, role, step),
        )

    def _key(self, guidance: float) -> Hashable:
        params, task = self.params, self.task
        prompts = (params.source_prompt, params.negative_prompt, guidance)
        walk = (params.inverter, params.steps, params.strength, task.seed, task.origin)
        return ("path", self.model.identity, task.image_key, *prompts, *walk)

    def _known_path(self, guidance: float) -> InvertedPath | None:
        key, cache = self._key(guidance), self.model.cache
        path: InvertedPath | None = cache.get(key, lambda: None) if key in cache else None
        return path

    def _invert(self, guidance: float) -> Generator["Tensor", None, InvertedPath]:
        path = yield from self.inverter.run(self.inversion_source(guidance))
        self.model.cache.put(self._key(guidance), path)
        return path


def restore_source_outside(state: PathState, mask: "Tensor") -> PathState:
    """Every branch becomes the source where the mask is 0.

    state: (branches, c, h, w) float, unbounded; mask: (1, 1, h, w) float, 0..1.
    """
    return tuple(part[:1].lerp(part, mask.to(part)) for part in state)
