"""Warnings about the prompts given for a picture that is about to be edited."""

from typing import TYPE_CHECKING, Any

from core.diffusion.guidance import EMBEDDED_GUIDANCE
from core.diffusion.model import Model
from core.params import NegativePrompt, field_marked
from core.scoring.prompt_agreement import prompt_agreement

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

NO_SOURCE_PROMPT = (
    "Say what the picture shows now: without that, more than what you mean may change."
)
NOISE_ROLE = "doubt"
"""Decides the noise that prompts are compared with; another text would give other results."""
NEGATIVE_NOT_READ = "{} reads its guidance as a number: the negative prompt was not used."
PROMPT_DOES_NOT_FIT = (
    "The model does not see “{}” in the picture: more than what you mean may change."
)


def warn_about_prompt(task: "Task[Any]", model: Model, x0: "Tensor") -> None:
    """Note where the source prompt is missing, or fits the picture worse than an empty one.

    A negative prompt that the network cannot read is noted too. x0: the picture's latent,
    (1, c, h, w) float, unbounded.
    """
    if EMBEDDED_GUIDANCE in model.capabilities and _negative_prompt(task.params):
        model.notes.append(NEGATIVE_NOT_READ.format(model.label))
    prompt, source = task.params.prompt.strip(), task.params.source_prompt.strip()
    if prompt and not source:
        model.notes.append(NO_SOURCE_PROMPT)
    if not source:
        return
    key = ("prompt fit", model.identity, task.image_key, source, task.seed, task.origin)
    if model.cache.get(key, lambda: prompt_fit(task, model, x0, source)) < 0:
        model.notes.append(PROMPT_DOES_NOT_FIT.format(source))


def _negative_prompt(params: Any) -> str:
    """The negative prompt, empty where there is none to be given."""
    field = field_marked(type(params), NegativePrompt)
    return "" if field is None else str(getattr(params, field.name)).strip()


def prompt_fit(task: "Task[Any]", model: Model, x0: "Tensor", prompt: str) -> float:
    """How much better a prompt explains a picture than an empty one does, in per cent.

    x0: the picture's latent, (1, c, h, w) float, unbounded.
    """
    return float(prompt_agreement(model, x0, prompt, task.noise(x0, NOISE_ROLE)))
