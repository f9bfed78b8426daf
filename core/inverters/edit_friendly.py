"""Edit-friendly DDPM inversion: noise maps between pictures noised independently."""

from typing import TYPE_CHECKING, ClassVar

from core.catalog import Paper, inverters
from core.editing.inversion import Inversion, Source
from core.editing.noise_maps import record_noise_maps

if TYPE_CHECKING:
    from torch import Tensor


@inverters.register
class EditFriendly:
    """Keep the picture in the noise of each step (edit-friendly DDPM inversion, arXiv 2304.06140).

    Every level gets a noise of its own, so the maps between levels are strong and keep the layout.
    All maps are kept, the last too, and the picture comes back exactly. The inversion uses the
    guidance of the source; another seed gives another edit.
    """

    id: ClassVar[str] = "edit-friendly"
    label: ClassVar[str] = "Edit-friendly DDPM"
    paper: ClassVar[Paper | None] = Paper("edit-friendly DDPM inversion", "2304.06140")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_signal: ClassVar[bool] = False

    def calls(self, steps: int) -> int:
        return steps

    def run(self, source: Source) -> Inversion:
        def add_noise(i: int, before: "Tensor | None" = None) -> "Tensor":
            return source.levels[i].mix(source.x0, source.noise("noising", i))

        return (yield from record_noise_maps(source, add_noise(0), add_noise))
