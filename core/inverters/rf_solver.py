"""RF-Solver: a second-order walk along the flow, up and down alike."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Denoise, Levels
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import Inversion, PathState, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor


@inverters.register
class RfSolver:
    """Trace the picture back more exactly, two calls a step (RF-Solver, arXiv 2411.04746).

    A Taylor expansion of the flow to second order; the derivative of the velocity is estimated
    from a second evaluation half a step ahead.
    """

    id: ClassVar[str] = "rf-solver"
    label: ClassVar[str] = "RF-Solver"
    paper: ClassVar[Paper | None] = Paper("RF-Solver", "2411.04746")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return 2 * steps

    def run(self, source: Source) -> Inversion:
        flow, denoise = Flow(source.model, source.levels), source.denoiser()
        x = flow.from_model_latent(source.x0, flow.times[-1])
        for i in source.inversion_order:
            here, there = flow.times[i + 1], flow.times[i]
            first = flow.velocity(denoise, x, here)
            yield x - here * first
            x = second_order_step(flow, denoise, x, first, there - here, here)
            yield x - there * first
        return _Taylor(flow, source.levels, flow.to_model_latent(x, flow.times[0]))


class _Taylor(ReplayPath):
    """Every branch takes the same kind of step down."""

    def __init__(self, flow: Flow, levels: Levels, noisy: "Tensor") -> None:
        super().__init__(levels, (noisy,))
        self.flow = flow

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        here, there = self.flow.times[i : i + 2]
        x = self.flow.from_model_latent(state[0], here)
        first = self.flow.velocity(denoise, x, here)
        after = second_order_step(self.flow, denoise, x, first, there - here, here)
        return (self.flow.to_model_latent(after, there),), x - here * first


def second_order_step(
    flow: Flow, denoise: Denoise, x: "Tensor", first: "Tensor", stride: float, time: float
) -> "Tensor":
    """x after a stride from a time, given the velocity there.

    x, first: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    half = stride / 2
    ahead = flow.velocity(denoise, x + half * first, time + half)
    # The derivative is (ahead - first) / half, and half is cancelled: a stride may be 0.
    return x + stride * first + stride * (ahead - first)
