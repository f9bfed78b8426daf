"""Proximal guidance: negative-prompt inversion that keeps only the strongest guidance."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Denoise, Level, Prediction
from core.editing.inversion import Branches, Inversion, PathState, ReplayPath, Source, ddim_invert

if TYPE_CHECKING:
    from torch import Tensor

QUANTILE = 0.75
"""The share of a branch's guidance that is dropped, as published."""
LATE = 0.76
"""Levels with less noise are put back, as published: time 400 of 1000 in Stable Diffusion."""
DILATION = 1
"""Latent cells by which the guided region grows before the rest is put back."""
ROUNDING = 1e-6
"""Smaller differences between two predictions are rounding errors."""


@inverters.register
class ProximalInversion:
    """Change only where the prompt insists, keep the rest (Proximal Guidance, arXiv 2306.05414).

    Negative-prompt inversion with hard-thresholded guidance. In the last steps every branch is put
    back on the source's path where the guidance is below the threshold. This is the paper's l0: the
    authors' code subtracts the threshold from what it keeps, also under the name l0, and puts back
    what is below twice the threshold.
    """

    id: ClassVar[str] = "proximal"
    label: ClassVar[str] = "Proximal guidance"
    paper: ClassVar[Paper | None] = Paper("Proximal Guidance", "2306.05414")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = True

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        return ProximalPath(source.levels, latents, [source.embeddings] * (len(latents) - 1))


class ProximalPath(ReplayPath):
    """A path whose guidance acts only where it is strong; a denoiser without branches is kept."""

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        if not isinstance(denoise, Branches):
            return super().step(i, state, denoise)
        here, there = self.levels[i], self.levels[i + 1]
        prediction, guided = threshold_guidance(denoise, state[0], here)
        z = prediction.at(there)
        if here.noise < LATE:
            z = z.where(guided, self.latents[i + 1])
        return (z,), prediction.x0


def threshold_guidance(
    branches: Branches, z: "Tensor", level: Level
) -> "tuple[Prediction, Tensor]":
    """The prediction under the strong part of the guidance, and where it acts.

    z: (branches, c, h, w) float, unbounded. Where it acts is a bool of the same shape.
    """
    import torch

    cond, uncond = branches.pair(z, level)
    x0, eps = cond.x0.clone(), cond.eps.clone()
    acts = torch.ones_like(z, dtype=torch.bool)
    for row, branch in enumerate(branches.guided):
        change = strongest_cells(eps[branch] - uncond.eps[row])
        acts[branch] = dilate(change != 0)
        eps[branch] = uncond.eps[row] + change
        x0[branch] = (z[branch] - level.noise * eps[branch]) / level.signal
    acts[0] = False
    return branches.apply_guidance(Prediction(x0, eps), uncond), acts


def strongest_cells(change: "Tensor") -> "Tensor":
    """The proximal map of the l0 norm: values of a size below the quantile become 0.

    change: (c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    size = change.abs()
    limit = size.flatten().quantile(QUANTILE).clamp(min=ROUNDING)
    return change.where(size > limit, 0.0)


def dilate(acts: "Tensor") -> "Tensor":
    """True also for the cells around. (c, h, w) bool, 0..1, to the same."""
    from torch.nn.functional import max_pool2d

    return max_pool2d(acts[None].float(), 2 * DILATION + 1, stride=1, padding=DILATION)[0] > 0
