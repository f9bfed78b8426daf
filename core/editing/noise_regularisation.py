"""Losses that say how unlike true noise a noise map is, and their gradients."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

MIN_SIDE = 8
"""Noise of this side is not shrunk further when its correlations are looked for."""
PATCH_SIDE = 4
EPSILON = 1e-6


def correlation(noise: "Tensor", roll: int) -> "Tensor":
    """How much neighbouring cells of noise correlate, summed over scales.

    noise: (b, c, h, w) float, unbounded; the neighbours are roll + 1 cells away, wrapped at half
    the side. Returns a scalar.
    """
    from torch.nn.functional import avg_pool2d

    total = noise.new_zeros(())
    while True:
        side = min(noise.shape[-2:])
        shift = 1 + roll % max(1, side // 2)
        for axis in (2, 3):
            total = total + (noise * noise.roll(shift, axis)).mean((2, 3)).square().sum()
        if side <= MIN_SIDE:
            return total
        noise = avg_pool2d(noise, 2)


def divergence(noise: "Tensor", wanted: "Tensor") -> "Tensor":
    """The Kullback-Leibler divergence of patches of noise from those wanted, as Gaussians.

    noise, wanted: (b, c, h, w) float, unbounded. Returns a scalar.
    """
    mean, variance = _patches(noise)
    wanted_mean, wanted_variance = _patches(wanted)
    ratio = (wanted_variance + EPSILON) / (variance + EPSILON)
    spread = (variance + (mean - wanted_mean).square()) / (wanted_variance + EPSILON)
    return (ratio.log() + spread - 1).abs().sum()


def _patches(noise: "Tensor") -> "tuple[Tensor, Tensor]":
    """Mean and variance of every patch in every channel."""
    patches = noise.unfold(2, PATCH_SIDE, PATCH_SIDE).unfold(3, PATCH_SIDE, PATCH_SIDE)
    return patches.mean((-2, -1)), patches.var((-2, -1))


def loss_gradient(noise: "Tensor", loss: "Callable[[Tensor], Tensor]") -> "Tensor":
    """The gradient of a loss, a scalar, at a noise map, (b, c, h, w) float, unbounded."""
    import torch

    with torch.enable_grad():
        here = noise.detach().requires_grad_()
        (found,) = torch.autograd.grad(loss(here), here)
    return found
