"""FireFlow: the second-order walk of RF-Solver at about one call a step."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.diffusion.model import Denoise, Levels
from core.diffusion.rectified_flow import Flow
from core.editing.inversion import Inversion, PathState, ReplayPath, Source

if TYPE_CHECKING:
    from torch import Tensor


@inverters.register
class FireFlow:
    """Trace the picture back exactly in few steps (FireFlow, arXiv 2412.07517).

    The midpoint rule; the velocity at the start of a step is taken from the middle of the step
    before.
    """

    id: ClassVar[str] = "fireflow"
    label: ClassVar[str] = "FireFlow"
    paper: ClassVar[Paper | None] = Paper("FireFlow", "2412.07517")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps + 1

    def run(self, source: Source) -> Inversion:
        flow, denoise = Flow(source.model, source.levels), source.denoiser()
        x, here = flow.from_model_latent(source.x0, flow.times[-1]), flow.times[-1]
        velocity = flow.velocity(denoise, x, here)
        yield x - here * velocity
        for there in flow.times[-2::-1]:
            velocity = midpoint_velocity(flow, denoise, x, velocity, there - here, here)
            x, here = x + (there - here) * velocity, there
            yield x - here * velocity
        return _Reusing(flow, source.levels, flow.to_model_latent(x, here))


class _Reusing(ReplayPath):
    """Every branch walks down in the same way; its state is a latent and the last velocity."""

    def __init__(self, flow: Flow, levels: Levels, noisy: "Tensor") -> None:
        super().__init__(levels, (noisy,))
        self.flow = flow

    def step(self, i: int, state: PathState, denoise: Denoise) -> "tuple[PathState, Tensor]":
        here, there = self.flow.times[i : i + 2]
        x = self.flow.from_model_latent(state[0], here)
        before = state[1] if len(state) > 1 else self.flow.velocity(denoise, x, here)
        velocity = midpoint_velocity(self.flow, denoise, x, before, there - here, here)
        z = self.flow.to_model_latent(x + (there - here) * velocity, there)
        return (z, velocity), x - here * velocity


def midpoint_velocity(
    flow: Flow, denoise: Denoise, x: "Tensor", velocity: "Tensor", stride: float, time: float
) -> "Tensor":
    """The velocity half a stride later, at the point to which a known velocity leads.

    x, velocity: (b, c, h, w) float, unbounded. Returns the same shape and dtype.
    """
    return flow.velocity(denoise, x + stride / 2 * velocity, time + stride / 2)
