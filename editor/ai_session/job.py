"""One run of an AI layer as the Jobs dock and the status bar see it."""

import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.engine.job_stream import JobStream


class Stage(Enum):
    """Where a job is; the last four are ends."""

    waiting = auto()
    loading = auto()
    running = auto()
    finished = auto()
    failed = auto()
    cancelled = auto()
    overtaken = auto()

    @property
    def is_over(self) -> bool:
        return self in {Stage.finished, Stage.failed, Stage.cancelled, Stage.overtaken}


@dataclass(frozen=True)
class Failure:
    """What happened and what to do in one sentence; ``trace`` for Details."""

    text: str
    trace: str = ""
    is_bug: bool = False


@dataclass(eq=False)
class Job:
    """Times are in milliseconds from the stroke (or button) that asked, None while unknown.

    ``is_refresh`` says that nobody asked: the layer was stale. ``note`` is what the worker last
    had to say about itself.
    """

    layer: str
    name: str
    is_refresh: bool = False
    is_comparison: bool = False
    stage: Stage = Stage.waiting
    n: int = 0
    of: int = 0
    model: str = ""
    note: str = ""
    preview_ms: float | None = None
    final_ms: float | None = None
    failure: Failure | None = None
    is_stopped: bool = False
    is_from_cache: bool = False
    is_unchanged: bool = False
    start_time: float = field(default_factory=time.perf_counter)
    stream: "JobStream | None" = None

    @property
    def progress(self) -> float:
        """0..1 of the steps."""
        return self.n / self.of if self.of else 0.0

    @property
    def age_ms(self) -> float:
        return (time.perf_counter() - self.start_time) * 1000
