"""Guidance by an energy: what a network's attention shows is measured, and its slope followed."""

from typing import TYPE_CHECKING

from core.diffusion.model import Level, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class FeatureRecorder:
    """A feature tap that changes nothing and keeps what a block gives; unnamed: the last one."""

    def __init__(self, block: str = "") -> None:
        self.block = block
        self.output: Tensor | None = None

    def __call__(self, name: str, output: "Tensor") -> None:
        is_up = name.startswith("up_blocks") and name.count(".") == 1
        if name == self.block or (not self.block and is_up):
            self.output = output


def energy_gradient(energy: "Callable[[Tensor], Tensor]", z: "Tensor") -> "Tensor":
    """How an energy grows with every value of z; models record it where z asks for it."""
    import torch

    with torch.enable_grad():
        shown = z.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(energy(shown), shown)
    return torch.as_tensor(slope)


def shift_prediction(seen: Prediction, level: Level, change: "Tensor") -> Prediction:
    """The same latent believed to hold so much more noise, and the less content."""
    return Prediction(seen.x0 - level.noise / level.signal * change, seen.eps + change)
