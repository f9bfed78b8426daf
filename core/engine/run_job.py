"""Runs one job in the worker: opens its models, runs the technique, sends messages."""

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
from core.engine.retries import RETRIES, limit_model, next_retry
from core.errors import Cancelled, EditorError
from core.geometry import Rect, Size
from core.models.memory import is_out_of_memory
from core.modifiers.wrapping import wrap_model
from core.scoring.score import score_layer

if TYPE_CHECKING:
    from core.diffusion.model import Model

MAX_PREVIEW_SIDE = 512
"""Longest side of a preview in pixels."""
MIN_PREVIEW_INTERVAL = 0.05
"""Seconds between previews: more of them would slow the steps and not be noticed."""

LIBRARIES = ("sfumato", "torch", "diffusers", "transformers", "onnxruntime", "numpy")

SendMessage = Callable[[WorkerMessage], None]
IsCancelled = Callable[[], bool]


@dataclass
class StageTimes:
    """Seconds spent per stage of a job."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def mark(self, name: str) -> None:
        """Add the time since the last call to a stage."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class JobRunner:
    """Runs one job, with retries when memory runs out."""

    job: RunTask
    cache: ModelCache
    send: SendMessage
    is_cancelled: IsCancelled
    retries: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Send JobStarted, a JobStep for each step, and JobDone.

        Raises Cancelled, another EditorError for the person, or what a bug raises.
        """
        retry: int | None = self.job.retry
        while retry is not None:
            try:
                return self.send(self._attempt(retry))
            except (MemoryError, RuntimeError, OSError) as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error)
            retry = self._step_down(retry, reason)
        raise EditorError(
            "There is not enough memory for this edit, even at half the model's size: "
            "close other programs, or choose a smaller model."
        )

    def _step_down(self, retry: int, reason: str) -> int | None:
        following = next_retry(retry, self.cache.device)
        if following is not None:
            self.retries.append(RETRIES[following].text)
            text = "The model ran out of memory."
            self.send(JobFailed(self.job.id, text, reason, retry=RETRIES[following].text))
            device = self.cache.device_at(following)
            self.cache.free([(name, device) for name in model_names(self.job.task.recipe)])
        return following

    def _attempt(self, retry: int) -> JobDone:
        stages, recipe = StageTimes(), self.job.task.recipe
        device = self.cache.device_at(retry)
        models = open_models(recipe, self.cache, device, self._report_loading)
        model = models.own
        self.send(JobStarted(self.job.id))
        stages.mark("load")
        calls = models.calls
        models.forget_notes()
        wrapped = wrap_model(limit_model(model, RETRIES[retry]), recipe.modifiers)
        pixels = self._run_technique(wrapped, models.wrap_others(recipe.modifiers), stages)
        facts = {
            "seconds": stages.total,
            "load_seconds": stages.seconds["load"],
            "calls": models.calls - calls,
            "model": model.label,
            "model_hash": models.identity,
            "device": device,
            "versions": read_versions(),
            "stages": stages.seconds,
            "retries": list(self.retries),
            "notes": models.notes,
        }
        if self.job.verifier:
            self._stop_if_cancelled()
            plain = limit_model(model, RETRIES[retry])
            facts["score"] = score_layer(self.job.verifier, self.job.task, pixels, plain)
        return JobDone(self.job.id, pixels, facts)

    def _report_loading(self, model: str) -> None:
        self._stop_if_cancelled()
        self.send(JobStarted(self.job.id, loading=model))

    def _run_technique(
        self, model: "Model", others: "dict[str, Model]", stages: StageTimes
    ) -> Picture:
        """Run the technique's generator and check the cancel flag between its steps."""
        last_preview = 0.0
        with closing(render_layer(self.job.task, model, others)) as steps:
            for step in (run := _TechniqueRun(steps)):
                stages.mark("steps" if step.n > 1 else "first step")
                self._stop_if_cancelled()
                preview = None
                if time.monotonic() - last_preview >= MIN_PREVIEW_INTERVAL:
                    preview = make_preview(step, model, self.job.task.rect)
                    last_preview = time.monotonic()
                    stages.mark("preview")
                self.send(JobStep(self.job.id, step.n, step.of, preview))
                self._stop_if_cancelled()
        stages.mark("decode and composite")
        return run.pixels

    def _stop_if_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled("The edit was stopped.")


class _TechniqueRun:
    """Iterates over a technique's steps and keeps the pixels that it returns."""

    def __init__(self, steps: Generator[ModelStep, None, Picture]) -> None:
        self._steps = steps
        self.pixels: Picture

    def __iter__(self) -> Iterator[ModelStep]:
        self.pixels = yield from self._steps


def make_preview(step: ModelStep, model: "Model", rect: Rect) -> Picture:
    """Decode a step's estimate quickly, scaled so that no side exceeds MAX_PREVIEW_SIDE.

    Returns height x width x 3 uint8, 0..255, in the proportions of the rectangle.
    """
    scale = min(1.0, MAX_PREVIEW_SIDE / max(rect.width, rect.height))
    size = Size(max(1, round(rect.width * scale)), max(1, round(rect.height * scale)))
    scaled = from_model(model.preview(step.x0), size, Geometry(model.native, model.multiple))
    picture: Picture = (scaled * 255 + 0.5).astype("uint8")
    return picture


def read_versions() -> dict[str, Any]:
    """Read the versions of the libraries that decide a result, None where one is absent."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
