"""The input of a verifier, and the type of the function that it returns."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from core.diffusion.model import Model
from core.params import Prompt, field_marked

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

ScoreLatents = Callable[["Tensor"], "Tensor"]
"""From clean latents (n, c, h, w) to scores (n,), float; the higher the better."""


class Case(NamedTuple):
    """What a verifier scores: the task, its picture's latent, and the painted region.

    ``x0``: (1, c, h, w) float, unbounded. ``mask``: (1, 1, h, w) float, 0..1.
    """

    task: "Task[Any]"
    model: Model
    x0: "Tensor"
    mask: "Tensor"

    @property
    def prompt(self) -> str:
        """The prompt of the task, empty if its technique has none."""
        field = field_marked(type(self.task.params), Prompt)
        return "" if field is None else str(getattr(self.task.params, field.name))
