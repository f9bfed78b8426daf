"""How well words explain pictures, as the model itself sees it."""

from typing import TYPE_CHECKING

from core.diffusion.latent_masks import check_finite
from core.diffusion.model import Model
from core.diffusion.noise_schedule import SCHEDULE_STEPS, full_schedule

if TYPE_CHECKING:
    from torch import Tensor


def prompt_agreement(
    model: Model, x0: "Tensor", prompt: str, noise: "Tensor", mask: "Tensor | None" = None
) -> "Tensor":
    """How much better a prompt explains clean latents than no prompt does, in per cent, one a row.

    The pictures are noised half-way; the network that knows the prompt should find the noise
    better (the comparison of a diffusion classifier, arXiv 2303.16203). With a mask (1, 1, h, w)
    only what is in it counts.
    """
    level, count = full_schedule(model)[SCHEDULE_STEPS // 2], len(x0)
    rows = model.embed([""] * count + [prompt] * count)
    z = level.mix(x0, noise).repeat(2, 1, 1, 1)
    missed = (check_finite(model.denoiser(rows))(z, level).eps - noise).square()
    inside = missed if mask is None else missed * mask
    without, told = inside.flatten(1).sum(1).chunk(2)
    return 100 * (without - told) / without.clamp(min=1e-12)
