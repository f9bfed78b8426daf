"""An inversion step as an equation: the noisier latent whose own DDIM step leads to the cleaner."""

from typing import TYPE_CHECKING

from core.diffusion import Level

if TYPE_CHECKING:
    from torch import Tensor


def carried(z: "Tensor", eps: "Tensor", here: Level, there: Level) -> "Tensor":
    """The DDIM move of z between two levels by a noise seen elsewhere."""
    return there.mix((z - here.noise * eps) / here.signal, eps)
