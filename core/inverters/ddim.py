"""DDIM inversion: the model's own steps, walked backwards."""

from typing import ClassVar

from core.catalog import Paper, inverters
from core.editing.inversion import Inversion, ReplayPath, Source, ddim_invert


@inverters.register
class DdimInversion:
    """Walk the deterministic steps up, then down again (DDIM inversion, arXiv 2010.02502)."""

    id: ClassVar[str] = "ddim"
    label: ClassVar[str] = "DDIM inversion"
    paper: ClassVar[Paper | None] = Paper("DDIM inversion", "2010.02502")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        return ReplayPath(source.levels, latents)
