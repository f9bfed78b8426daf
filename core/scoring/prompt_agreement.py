"""How well a prompt explains pictures, measured with the model itself."""

from typing import TYPE_CHECKING

from core.diffusion.latent_masks import check_finite
from core.diffusion.model import Model
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule

if TYPE_CHECKING:
    from torch import Tensor


def prompt_agreement(
    model: Model, x0: "Tensor", prompt: str, noise: "Tensor", mask: "Tensor | None" = None
) -> "Tensor":
    """Return how much better a prompt explains clean latents than no prompt does, in per cent.

    The latents are noised half-way; with the prompt the network should predict the noise better
    (the comparison of a diffusion classifier, arXiv 2303.16203). x0, noise: (n, c, h, w) float,
    unbounded. With a mask (1, 1, h, w) float, 0..1, only what is in it counts. Returns (n,) float.
    """
    level, count = full_schedule(model)[SCHEDULE_STEPS // 2], len(x0)
    embeddings = model.embed([""] * count + [prompt] * count)
    z = level.mix(x0, noise).repeat(2, 1, 1, 1)
    error = (check_finite(model.denoiser(embeddings))(z, level).eps - noise).square()
    inside = error if mask is None else error * mask
    uncond, cond = inside.flatten(1).sum(1).chunk(2)
    return 100 * (uncond - cond) / uncond.clamp(min=1e-12)
