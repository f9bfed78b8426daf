"""What the worker says: small frozen values, one stream per job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from core.ai.crop import Geometry

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class JobStarted:
    """The worker took the job; ``loading`` names a model that is being loaded first.

    Once it is loaded the job starts, with a second message that names none.
    """

    job: int
    loading: str = ""


@dataclass(frozen=True)
class JobStep:
    """Step n of ``of`` is done; preview is height x width x 3, at most 512 px a side.

    The preview covers the request's rectangle.
    """

    job: int
    n: int
    of: int
    preview: Picture | None = None


@dataclass(frozen=True)
class JobDone:
    """The layer's pixels over the request's rectangle, and facts for recipe and status bar.

    ``pixels`` is RGBA premultiplied with the composite mask as alpha: what
    core.ai.layer.with_result wants. ``facts``: seconds, load_seconds, calls, model_hash, model,
    device, versions, stages (seconds by name), retries (the retries of the ladder taken), notes
    (sentences for the person), and score where the job asked for one, None if nobody can say.
    """

    job: int
    pixels: Picture
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobFailed:
    """One sentence for the person; ``trace`` for Details; ``retry`` names the retry tried next."""

    job: int
    text: str
    trace: str = ""
    is_bug: bool = False
    retry: str = ""


@dataclass(frozen=True)
class JobCancelled:
    """The job ended because somebody asked for it."""

    job: int


@dataclass(frozen=True)
class ModelOpened:
    """A model is loaded; what a request for it must know."""

    job: int
    name: str
    label: str
    native: int
    multiple: int
    factor: int
    capabilities: tuple[str, ...]
    identity: str
    device: str
    seconds: float

    @property
    def geometry(self) -> Geometry:
        return Geometry(self.native, self.multiple)


@dataclass(frozen=True)
class PictureDescribed:
    """What a picture shows; no text when nobody is sure."""

    job: int
    text: str


@dataclass(frozen=True)
class WorkerReady:
    """The worker is up: its libraries are imported and it takes jobs."""

    pid: int
    device: str
    threads: int
    seconds: float


@dataclass(frozen=True)
class Pong:
    """The worker's answer to a ping: it is alive even while a network runs."""


JobMessage = JobStarted | JobStep | JobDone | JobFailed | JobCancelled
"""A job's stream ends with exactly one Done, Failed (with no retry) or Cancelled."""

WorkerMessage = JobMessage | ModelOpened | PictureDescribed | WorkerReady | Pong
"""Everything that comes up the pipe."""
