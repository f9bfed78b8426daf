"""What to tell a person about the words they gave for a picture that is about to be edited."""

from typing import TYPE_CHECKING, Any

from core.diffusion.model import Model
from core.scoring.prompt_agreement import agreement

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

UNSAID = "Say what the picture shows now: without that, more than what you mean may change."
UNLIKE = "The model does not see “{}” in the picture: more than what you mean may change."


def doubt(task: "Task[Any]", model: Model, x0: "Tensor") -> None:
    """Note where the words for the picture are missing, or fit it worse than no words do."""
    prompt, source = task.params.prompt.strip(), task.params.source_prompt.strip()
    if prompt and not source:
        model.notes.append(UNSAID)
    if not source:
        return
    key = ("doubt", model.identity, task.image_key, source, task.seed, task.origin)
    if model.store.get(key, lambda: explained(task, model, x0, source)) < 0:
        model.notes.append(UNLIKE.format(source))


def explained(task: "Task[Any]", model: Model, x0: "Tensor", prompt: str) -> float:
    """How much better a prompt explains a picture than no prompt does, in per cent."""
    return float(agreement(model, x0, prompt, task.noise(x0, "doubt")))
