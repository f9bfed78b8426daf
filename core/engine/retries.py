"""The retries of a job when memory runs out or the worker dies, in order.

Each retry needs less memory than the one before: first with empty caches, then with a smaller
picture for the model (half the side is a quarter of the memory), at last on the CPU.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from core.diffusion.model import Model


class Retry(NamedTuple):
    """One way to run a job: ``share`` of the model's side, and whether the accelerator is used."""

    text: str
    share: float = 1.0
    on_cpu: bool = False


RETRIES = (
    Retry("as asked"),
    Retry("again with empty caches"),
    Retry("at half the model's size", share=0.5),
    Retry("at half the model's size on the CPU", share=0.5, on_cpu=True),
)


def next_retry(retry: int, device: str) -> int | None:
    """Return the next retry for a worker on a device, or None after the last one."""
    following = retry + 1
    if following >= len(RETRIES) or (RETRIES[following].on_cpu and device == "cpu"):
        return None
    return following


def limit_model(model: "Model", retry: Retry) -> "Model":
    """Return the model as a retry uses it: with a smaller native side."""
    if retry.share == 1:
        return model
    cells = round(model.native * retry.share / model.multiple)
    return cast("Model", _SmallerModel(model, max(1, cells) * model.multiple))


class _SmallerModel:
    """A model with a smaller native side; everything else is that of the model."""

    def __init__(self, model: "Model", native: int) -> None:
        self._model = model
        self.native = native

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)
