"""Eta Inversion: Direct Inversion whose edit is stirred, most where there is most noise."""

from typing import TYPE_CHECKING, ClassVar

from core.ancestral import mean, spread
from core.catalog import inverters
from core.diffusion import Denoise, Level, Levels
from core.inversion import Inversion, Replayed, Source, State, climbed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

MOST = 0.4
"""The share of DDPM's noise at the noisiest level, as published; it falls evenly with time."""
DRAWS = 10
"""Noises to choose from at every step, as published."""
STEPS = 50
"""Of the walk whose first level stands for the noisiest time."""


@inverters.register
class EtaInversion:
    """Keep the source on its path, give the edit fresh noise (Eta Inversion, arXiv 2403.09468).

    Of ten noises the edit gets the one closest to what the source would have needed. The paper
    stirs only where the edited word looks; an inverter does not know that word, so this stirs the
    whole picture, or the painted region.
    """

    id: ClassVar[str] = "eta"
    label: ClassVar[str] = "Eta Inversion"
    needs: ClassVar[frozenset[str]] = frozenset()

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from climbed(source)
        slope = MOST / source.model.levels(STEPS)[0].time
        return Stirred(source.levels, latents, slope, source.noise)


class Stirred(Replayed):
    """The source row stays on its path; the others move with ``slope * time`` of DDPM's noise."""

    def __init__(
        self,
        levels: Levels,
        latents: "Sequence[Tensor]",
        slope: float,
        noise: "Callable[[str, int], Tensor]",
    ) -> None:
        super().__init__(levels, latents)
        self.slope = slope
        self.noise = noise

    def eta(self, level: Level) -> float:
        return min(1.0, self.slope * level.time)

    def step(self, i: int, state: State, denoise: Denoise) -> "tuple[State, Tensor]":
        import torch

        here, there, source = self.levels[i], self.levels[i + 1], self.latents[i + 1]
        seen = denoise(state[0], here)
        z = mean(seen, here, there, self.eta(here))
        fresh = spread(here, there, self.eta(here))
        if fresh:
            z = z + fresh * self._closest(i, (source - z[:1]) / fresh)
        return (torch.cat([source, z[1:]]),), seen.x0

    def _closest(self, i: int, wanted: "Tensor") -> "Tensor":
        """Of the step's noises the one nearest to what is wanted."""
        drawn = (self.noise("eta", i * DRAWS + n) for n in range(DRAWS))
        return min(drawn, key=lambda noise: float((noise - wanted).square().sum()))
