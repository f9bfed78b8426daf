"""What the worker says: small frozen values, one stream per job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Started:
    """The worker took the job; ``loading`` says that a model is being loaded first."""

    job: int
    loading: str = ""


@dataclass(frozen=True)
class Step:
    """Step n of ``of`` is done; preview is height x width x 3, at most 512 px a side."""

    job: int
    n: int
    of: int
    preview: Picture | None = None


@dataclass(frozen=True)
class Done:
    """The result, height x width x 3 float32 in 0..1, and facts for the recipe and status bar.

    ``round_trip`` is the task's picture after encode and decode, for residual compositing.
    facts: seconds, calls, model_hash, device, versions.
    """

    job: int
    image: npt.NDArray[np.float32]
    round_trip: npt.NDArray[np.float32]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """One sentence for the person; ``trace`` for Details; ``retry`` names the rung tried next."""

    job: int
    text: str
    trace: str = ""
    is_bug: bool = False
    retry: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The job ended because somebody asked for it."""

    job: int


Message = Started | Step | Done | Failed | Cancelled
"""A job's stream ends with exactly one Done, Failed (with no retry) or Cancelled."""
