"""The messages that come from the worker: small frozen values, one stream per job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from core.ai.crop import Geometry

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class JobStarted:
    """The worker has taken the job; ``loading`` names a model that is being loaded first.

    Once it is loaded the job starts, with a second message that names none.
    """

    job: int
    loading: str = ""


@dataclass(frozen=True)
class JobStep:
    """Step n of ``of`` is done.

    ``preview`` is height x width x 3 uint8, at most 512 px a side, over the task's rectangle.
    """

    job: int
    n: int
    of: int
    preview: Picture | None = None


@dataclass(frozen=True)
class JobDone:
    """The layer's pixels over the task's rectangle, and facts for recipe and status bar.

    ``pixels`` is height x width x 4 uint8, premultiplied RGBA with the composite mask as alpha.
    ``facts``: seconds, load_seconds, calls, model_hash, model, device, versions, stages (seconds
    by name), retries (the texts of those taken), notes (sentences for the person), and score when
    the command names a verifier, None when it could not judge.
    """

    job: int
    pixels: Picture
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobFailed:
    """The job failed: one sentence for the person, ``trace`` for Details.

    ``retry`` is the text of the retry that follows, empty when there is none.
    """

    job: int
    text: str
    trace: str = ""
    is_bug: bool = False
    retry: str = ""


@dataclass(frozen=True)
class JobCancelled:
    """The job was cancelled."""

    job: int


@dataclass(frozen=True)
class ModelOpened:
    """A model is loaded; these are its properties."""

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
    """The description of a picture; empty when no describer is sure."""

    job: int
    text: str


@dataclass(frozen=True)
class WorkerReady:
    """The worker has imported its libraries and takes jobs."""

    pid: int
    device: str
    threads: int
    seconds: float


@dataclass(frozen=True)
class Pong:
    """The worker's reply to a ping; it is sent even while a network runs."""


JobMessage = JobStarted | JobStep | JobDone | JobFailed | JobCancelled
"""A job's stream ends with exactly one JobDone, JobFailed (with no retry) or JobCancelled."""

WorkerMessage = JobMessage | ModelOpened | PictureDescribed | WorkerReady | Pong
"""Every message that the worker sends."""
