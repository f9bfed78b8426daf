"""One run of an AI layer, as the Jobs dock and the status bar show it."""

import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.engine.job_stream import JobStream


class Stage(Enum):
    """The stage of a job; the last four are ends."""

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
    """What went wrong and what to do, in one sentence; ``trace`` is shown under Details."""

    text: str
    trace: str = ""
    is_bug: bool = False


@dataclass(eq=False)
class Job:
    """A run of one layer. Times are in milliseconds from its start, None while unknown.

    ``is_refresh``: it was started because the layer was stale, not by the person. ``note`` is
    the last remark about it, such as that it is tried again with less memory.
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
        """The share of its steps that is done, 0..1."""
        return self.n / self.of if self.of else 0.0

    @property
    def age_ms(self) -> float:
        return (time.perf_counter() - self.start_time) * 1000
