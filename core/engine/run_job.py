"""One job in the worker: open the model, run the technique step by step, say what happens."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from core.ai.crop import Geometry, from_model
from core.ai.render_layer import render_layer
from core.diffusion.model import Step as ModelStep
from core.engine.commands import RunTask
from core.engine.job_models import model_names, open_models
from core.engine.messages import JobDone, JobFailed, JobStarted, JobStep, Picture, WorkerMessage
from core.engine.model_cache import ModelCache
from core.engine.retries import RETRIES, is_out_of_memory, limit_model, next_retry
from core.errors import Cancelled, EditorError
from core.geometry import Rect, Size
from core.modifiers.wrapping import wrap_model
from core.scoring.score import score_layer

if TYPE_CHECKING:
    from core.diffusion.model import Model

PREVIEW = 512
"""Longest side of a preview in pixels."""
PREVIEW_PAUSE = 0.05
"""Seconds between previews: more would not be seen, and cost steps."""

LIBRARIES = ("sfumato", "torch", "diffusers", "transformers", "onnxruntime", "numpy")

SendMessage = Callable[[WorkerMessage], None]
IsCancelled = Callable[[], bool]


@dataclass
class StageTimes:
    """Seconds spent per stage of a job."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def mark(self, name: str) -> None:
        """What went by since the last call belongs to a stage."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class JobRunner:
    """One job on its way down the ladder."""

    job: RunTask
    shelf: ModelCache
    speak: SendMessage
    is_cancelled: IsCancelled
    retries: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Speak Started, Steps and Done.

        Raises Cancelled, another EditorError for the person, or whatever a bug raises.
        """
        retry: int | None = self.job.retry
        while retry is not None:
            try:
                return self.speak(self._attempt(retry))
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error)
            retry = self._step_down(retry, reason)
        raise EditorError(
            "There is not enough memory for this edit, even at half the model's size: "
            "close other programs, or choose a smaller model."
        )

    def _step_down(self, retry: int, reason: str) -> int | None:
        following = next_retry(retry, self.shelf.device)
        if following is not None:
            self.retries.append(RETRIES[following].text)
            text = "The model ran out of memory."
            self.speak(JobFailed(self.job.id, text, reason, retry=RETRIES[following].text))
            device = self.shelf.device_at(following)
            self.shelf.free([(name, device) for name in model_names(self.job.task.recipe)])
        return following

    def _attempt(self, retry: int) -> JobDone:
        stages, recipe = StageTimes(), self.job.task.recipe
        device = self.shelf.device_at(retry)
        cast = open_models(recipe, self.shelf, device, self._say_loading)
        model = cast.own
        self.speak(JobStarted(self.job.id))
        stages.mark("load")
        calls = cast.calls
        cast.forget_notes()
        steered = wrap_model(limit_model(model, RETRIES[retry]), recipe.modifiers)
        pixels = self._drive(steered, cast.wrap_others(recipe.modifiers), stages)
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
            plain = limit_model(model, RETRIES[retry])
            facts["score"] = score_layer(self.job.verifier, self.job.task, pixels, plain)
        return JobDone(self.job.id, pixels, facts)

    def _say_loading(self, model: str) -> None:
        self._stop_if_cancelled()
        self.speak(JobStarted(self.job.id, loading=model))

    def _drive(self, model: "Model", others: "dict[str, Model]", stages: StageTimes) -> Picture:
        """The technique's generator, with a look at the cancel flag between its steps."""
        shown = 0.0
        with closing(render_layer(self.job.task, model, others)) as run:
            for step in (finished := _Finished(run)):
                stages.mark("steps" if step.n > 1 else "first step")
                self._stop_if_cancelled()
                preview = None
                if time.monotonic() - shown >= PREVIEW_PAUSE:
                    preview = preview_of(step, model, self.job.task.rect)
                    shown = time.monotonic()
                    stages.mark("preview")
                self.speak(JobStep(self.job.id, step.n, step.of, preview))
                self._stop_if_cancelled()
        stages.mark("decode and composite")
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
