"""What a verifier is given, and what it gives back."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from core.diffusion.model import Model
from core.params import Prompt, field_marked

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

ScoreLatents = Callable[["Tensor"], "Tensor"]
"""From clean latents to scores, one a row; the higher the better."""


class Case(NamedTuple):
    """What is being judged: the task, its picture's latent, and the region that is painted."""

    task: "Task[Any]"
    model: Model
    x0: "Tensor"
    mask: "Tensor"

    @property
    def prompt(self) -> str:
        """The prompt of the task, empty if its technique has none."""
        field = field_marked(type(self.task.params), Prompt)
        return "" if field is None else str(getattr(self.task.params, field.name))
