"""Editing by words: invert the picture, then walk down with a source and a target branch.

A technique says what joins the branches: an attention control, a change of the denoiser, or a
blend after each step. What every such edit shares is here: parameters, strength, the region, the
cache of inverted paths, progress.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from core import catalog
from core.diffusion.latent_masks import last_steps, number_steps, soft_latent_mask
from core.diffusion.model import Conditioning, Denoise, Image, Levels, Model, Step
from core.editing.inversion import Branches, InvertedPath, PathState, Source, invertible_levels
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
Guide = Callable[["PromptEdit", Denoise], Denoise]
Start = Callable[[PathState], PathState]
After = Callable[[int, PathState], PathState]


@dataclass(frozen=True)
class EditParams:
    """The parameters that all edits by words share, in the order of the form."""

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


class PromptEdit:
    """One edit of one picture; ``run`` is the whole technique.

    ``branches`` is set during the walk down; ``at`` is the index of the step being taken, of
    ``count`` in all. ``edits`` is how many branches there are beside the source. ``guidance`` is
    the source's own scale, which exact inverters are told.
    """

    def __init__(self, task: "Task[Any]", model: Model, edits: int = 1) -> None:
        self.task = task
        self.model = model
        self.params: EditParams = task.params
        self.edits = edits
        self.x0 = model.encode(task.image)
        self.levels = self._levels()
        self.count = len(self.levels) - 1
        self.at = 0
        self.guidance = self.params.guidance
        self.mask = soft_latent_mask(task.mask, self.x0)
        inverter = catalog.inverters[self.params.inverter]
        missing = inverter.needs - model.capabilities
        if missing:
            lacks = ", ".join(sorted(missing))
            raise TechniqueError(f"{inverter.label} needs a model with {lacks}; choose another.")
        self.inverter = inverter()

    def _levels(self) -> Levels:
        whole = invertible_levels(self.model.levels(self.params.steps))
        return last_steps(whole, self.params.strength)

    # Words

    def prompt_embeddings(self) -> Conditioning:
        """The source prompt, and the prompt once for every edit."""
        params = self.params
        return self.model.embed([params.source_prompt, *[params.prompt] * self.edits])

    def scales(self) -> list[float]:
        """The guidance scale of every branch."""
        return [self.params.guidance] * (1 + self.edits)

    # The run

    @property
    def total(self) -> int:
        """How many steps a run is, the way up included where it is not known yet."""
        is_known = not self.count or self._key in self.model.cache
        return self.count + (0 if is_known else self.inverter.calls(self.count))

    def run(
        self,
        control: Any = None,
        guide: "Guide | None" = None,
        after: "After | None" = None,
        scales: "list[float] | None" = None,
        words: "Conditioning | None" = None,
        tap: Any = None,
        start: "Start | None" = None,
    ) -> Generator[Step, None, Image]:
        """The edited picture.

        control opens the attention layers (core.models.attention) and tap the network's blocks
        (core.models.features), guide changes the denoiser of the walk down, start changes the
        branches' state before the first step, after once step i has been taken.
        """
        if not self.count:
            return self.model.decode(self.x0)
        warn_about_prompt(self.task, self.model, self.x0)
        scales = scales or self.scales()
        self.guidance = scales[SOURCE]
        path, total = self._known_path(), self.total
        words = words or self.prompt_embeddings()
        opened = partial(self._opened, control, tap)

        def walk() -> Walk:
            found = path or (yield from self._invert())
            return (yield from self._walk_down(found, opened, guide, start, after, scales, words))

        with closing(walk()) as walking:
            z = yield from number_steps(walking, total)
        return self.model.decode(z)

    def _walk_down(
        self,
        path: InvertedPath,
        opened: Callable[[], AbstractContextManager[Any]],
        guide: "Guide | None",
        start: "Start | None",
        after: "After | None",
        scales: list[float],
        words: Conditioning,
    ) -> Walk:
        negative = self.model.embed([self.params.negative_prompt])
        state = path.begin(len(scales))
        if start is not None:
            state = start(state)
        for i in range(self.count):
            self.at = i
            self.branches = Branches(
                self.model,
                path.prompt_embeddings(i, words),
                scales,
                path.negative_embeddings(i) or negative,
            )
            denoise: Denoise = self.branches
            if guide is not None:
                denoise = guide(self, denoise)
            with opened():
                state, seen = path.step(i, state, denoise)
            state = self._restore_outside(path, i, state)
            if after is not None:
                state = after(i, state)
            yield seen[TARGET:]
        return path.latent(state)[TARGET : TARGET + 1]

    def _opened(self, control: Any, tap: Any) -> AbstractContextManager[Any]:
        """The network with its attention layers and blocks open to a control and a tap."""
        with ExitStack() as stack:
            if control is not None:
                stack.enter_context(self.model.attention(control))
            if tap is not None:
                stack.enter_context(self.model.features(tap))
            return stack.pop_all()

    def _restore_outside(self, path: InvertedPath, i: int, state: PathState) -> PathState:
        """Outside the painted region every branch is the source."""
        if bool((self.mask >= 1).all()):
            return state
        return restore_source_outside(state, self.mask)

    # The inverted picture

    def inversion_source(self) -> Source:
        """What the inverter gets."""
        params = self.params
        return Source(
            self.model,
            self.x0,
            self.model.embed([params.source_prompt]),
            self.levels,
            self.guidance,
            self.model.embed([params.negative_prompt]),
            lambda role, step: self.task.noise(self.x0, role, step),
        )

    @property
    def _key(self) -> Any:
        params, task = self.params, self.task
        spoken = (params.source_prompt, params.negative_prompt, self.guidance)
        walk = (params.inverter, params.steps, params.strength, task.seed, task.origin)
        return ("path", self.model.identity, task.image_key, *spoken, *walk)

    def _known_path(self) -> InvertedPath | None:
        path: InvertedPath | None = (
            self.model.cache.get(self._key, lambda: None) if self._key in self.model.cache else None
        )
        return path

    def _invert(self) -> Generator["Tensor", None, InvertedPath]:
        path = yield from self.inverter.run(self.inversion_source())
        self.model.cache.put(self._key, path)
        return path


def restore_source_outside(state: PathState, mask: "Tensor") -> PathState:
    """Every branch becomes the source where mask (1, 1, h, w) is 0."""
    return tuple(part[:1].lerp(part, mask.to(part)) for part in state)
