"""Guidance by an energy of a network's attention and features: its gradient is followed."""

from typing import TYPE_CHECKING

from core.diffusion.model import Level, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class FeatureRecorder:
    """A tap that changes nothing and keeps the output of a block, without a name the last one."""

    def __init__(self, block: str = "") -> None:
        self.block = block
        self.output: Tensor | None = None

    def __call__(self, name: str, output: "Tensor") -> None:
        is_up = name.startswith("up_blocks") and name.count(".") == 1
        if name == self.block or (not self.block and is_up):
            self.output = output


def energy_gradient(energy: "Callable[[Tensor], Tensor]", z: "Tensor") -> "Tensor":
    """The gradient of an energy, a scalar float, at z, (b, c, h, w) float, unbounded.

    Returns the shape and dtype of z.
    """
    import torch

    with torch.enable_grad():
        shown = z.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(energy(shown), shown)
    return torch.as_tensor(slope)


def shift_prediction(prediction: Prediction, level: Level, change: "Tensor") -> Prediction:
    """The prediction of the same latent with so much more noise, and less content.

    change: (b, c, h, w) float, unbounded, as are both parts of the prediction.
    """
    return Prediction(prediction.x0 - level.noise / level.signal * change, prediction.eps + change)
