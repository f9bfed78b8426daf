"""One job in the worker: open the model, run the technique step by step, say what happens."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from core.ai.crop import Geometry, from_model
from core.ai.render_layer import rendered
from core.diffusion.model import Step as ModelStep
from core.engine.commands import Job
from core.engine.job_models import names, opened
from core.engine.messages import Done, Failed, Picture, Spoken, Started, Step
from core.engine.model_cache import Shelf
from core.engine.retries import LADDER, below, is_out_of_memory, lowered
from core.errors import Cancelled, EditorError
from core.geometry import Rect, Size
from core.modifiers.wrapping import wrapped
from core.scoring.score import scored

if TYPE_CHECKING:
    from core.diffusion.model import Model

PREVIEW = 512
"""Longest side of a preview in pixels."""
PREVIEW_PAUSE = 0.05
"""Seconds between previews: more would not be seen, and cost steps."""

LIBRARIES = ("sfumato", "torch", "diffusers", "transformers", "onnxruntime", "numpy")

Speak = Callable[[Spoken], None]
IsCancelled = Callable[[], bool]


@dataclass
class Stages:
    """Seconds spent per stage of a job."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def passed(self, name: str) -> None:
        """What went by since the last call belongs to a stage."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Performance:
    """One job on its way down the ladder."""

    job: Job
    shelf: Shelf
    speak: Speak
    is_cancelled: IsCancelled
    retries: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Speak Started, Steps and Done.

        Raises Cancelled, another EditorError for the person, or whatever a bug raises.
        """
        rung: int | None = self.job.rung
        while rung is not None:
            try:
                return self.speak(self._attempt(rung))
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error)
            rung = self._step_down(rung, reason)
        raise EditorError(
            "There is not enough memory for this edit, even at half the model's size: "
            "close other programs, or choose a smaller model."
        )

    def _step_down(self, rung: int, reason: str) -> int | None:
        following = below(rung, self.shelf.device)
        if following is not None:
            self.retries.append(LADDER[following].text)
            text = "The model ran out of memory."
            self.speak(Failed(self.job.id, text, reason, retry=LADDER[following].text))
            device = self.shelf.device_at(following)
            self.shelf.free([(name, device) for name in names(self.job.request.recipe)])
        return following

    def _attempt(self, rung: int) -> Done:
        stages, recipe = Stages(), self.job.request.recipe
        device = self.shelf.device_at(rung)
        cast = opened(recipe, self.shelf, device, self._say_loading)
        model = cast.own
        self.speak(Started(self.job.id))
        stages.passed("load")
        calls = cast.calls
        cast.forget_notes()
        steered = wrapped(lowered(model, LADDER[rung]), recipe.modifiers)
        pixels = self._driven(steered, cast.steered(recipe.modifiers), stages)
        facts = {
            "seconds": stages.total,
            "load_seconds": stages.seconds["load"],
            "calls": cast.calls - calls,
            "model": model.label,
            "model_hash": cast.identity,
            "device": device,
            "versions": versions(),
            "stages": stages.seconds,
            "retries": list(self.retries),
            "notes": cast.notes,
        }
        if self.job.verifier:
            self._stop_if_cancelled()
            plain = lowered(model, LADDER[rung])
            facts["score"] = scored(self.job.verifier, self.job.request, pixels, plain)
        return Done(self.job.id, pixels, facts)

    def _say_loading(self, model: str) -> None:
        self._stop_if_cancelled()
        self.speak(Started(self.job.id, loading=model))

    def _driven(self, model: "Model", others: "dict[str, Model]", stages: Stages) -> Picture:
        """The technique's generator, with a look at the cancel flag between its steps."""
        shown = 0.0
        with closing(rendered(self.job.request, model, others)) as run:
            for step in (finished := _Finished(run)):
                stages.passed("steps" if step.n > 1 else "first step")
                self._stop_if_cancelled()
                preview = None
                if time.monotonic() - shown >= PREVIEW_PAUSE:
                    preview = preview_of(step, model, self.job.request.rect)
                    shown = time.monotonic()
                    stages.passed("preview")
                self.speak(Step(self.job.id, step.n, step.of, preview))
                self._stop_if_cancelled()
        stages.passed("decode and composite")
        return finished.pixels

    def _stop_if_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled("The edit was stopped.")


class _Finished:
    """Iterates over a technique's steps and keeps what it returns."""

    def __init__(self, run: Generator[ModelStep, None, Picture]) -> None:
        self._run = run
        self.pixels: Picture

    def __iter__(self) -> Iterator[ModelStep]:
        self.pixels = yield from self._run


def preview_of(step: ModelStep, model: "Model", rect: Rect) -> Picture:
    """A cheap look at what the model sees, shaped like the crop, at most PREVIEW a side."""
    scale = min(1.0, PREVIEW / max(rect.width, rect.height))
    size = Size(max(1, round(rect.width * scale)), max(1, round(rect.height * scale)))
    seen = from_model(model.preview(step.x0), size, Geometry(model.native, model.multiple))
    picture: Picture = (seen * 255 + 0.5).astype("uint8")
    return picture


def versions() -> dict[str, Any]:
    """Versions of the libraries that decide a result, None where one is absent."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
