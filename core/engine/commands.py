"""The commands that go to the worker: jobs, models to open, cancellation and pings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.ai.layer import LayerTask
    from core.engine.messages import Picture


@dataclass(frozen=True, eq=False)
class RunTask:
    """Run the task of a layer; ``retry`` is the number of the retry in core.engine.retries.

    With a ``verifier``, by id, the facts of the result hold its score.
    """

    id: int
    task: "LayerTask"
    retry: int = 0
    verifier: str = ""


@dataclass(frozen=True)
class OpenModel:
    """Load a model (by id or path) and send its properties."""

    id: int
    model: str
    retry: int = 0


@dataclass(frozen=True, eq=False)
class DescribePicture:
    """Describe a picture (height x width x 3 uint8, 0..255) in words that suit a model."""

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
    """Check that the worker is alive; it sends a Pong."""


QueuedCommand = RunTask | OpenModel | DescribePicture
"""Commands that the worker runs one at a time, in the order given."""

Command = QueuedCommand | CancelJob | Ping
