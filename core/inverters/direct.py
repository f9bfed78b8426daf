"""Direct Inversion: DDIM inversion whose source branch is put back on its path at every step."""

from typing import ClassVar

from core.catalog import Paper, inverters
from core.editing.inversion import DirectPath, Inversion, Source, ddim_invert


@inverters.register
class DirectInversion:
    """Keep the source on its own path, free the edit (Direct Inversion, arXiv 2310.01506)."""

    id: ClassVar[str] = "direct"
    label: ClassVar[str] = "Direct Inversion"
    paper: ClassVar[Paper | None] = Paper("Direct Inversion", "2310.01506")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        latents = yield from ddim_invert(source)
        return DirectPath(source.levels, latents)
