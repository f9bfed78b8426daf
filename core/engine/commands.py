"""What the worker is told: jobs, models to open, cancellation and pings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.ai.layer import LayerTask
    from core.engine.messages import Picture


@dataclass(frozen=True, eq=False)
class RunTask:
    """Run one request; ``retry`` is how far down the ladder of retries it already is.

    With a ``verifier``, by id, the answer's facts hold its score.
    """

    id: int
    task: "LayerTask"
    retry: int = 0
    verifier: str = ""


@dataclass(frozen=True)
class OpenModel:
    """Load a model (by id or path) and say what it is like."""

    id: int
    model: str
    retry: int = 0


@dataclass(frozen=True, eq=False)
class DescribePicture:
    """Say what a picture (height x width x 3) shows, in words that suit a model."""

    id: int
    model: str
    picture: "Picture"
    retry: int = 0


@dataclass(frozen=True)
class CancelJob:
    """Stop a job at its next step."""

    id: int


@dataclass(frozen=True)
class Ping:
    """Say that you are alive."""


QueuedCommand = RunTask | OpenModel | DescribePicture
"""What is done one at a time, in the order given."""

Command = QueuedCommand | CancelJob | Ping
