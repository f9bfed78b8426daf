"""Invert and edit: the plain edit by words, which any inverter can drive and any model can run."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.model import Image, Model, Step
from core.editing.prompt_edit import INVERSION, EditParams, EditVariation, PromptEdit
from core.params import Guidance, SourceGuidance, Steps, Strength

if TYPE_CHECKING:
    from core.task import Task


@techniques.register
class InvertAndEdit:
    """Trace the picture back to noise, then redraw it as the prompt says (arXiv 2304.06140).

    Edit and source share nothing but the path that the inverter found. The defaults are those of
    edit-friendly DDPM inversion, which keeps the layout.
    """

    id: ClassVar[str] = "invert-and-edit"
    label: ClassVar[str] = "Rewrite"
    paper: ClassVar[Paper | None] = Paper(
        "An Edit Friendly DDPM Noise Space: Inversion and Manipulations", "2304.06140"
    )
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="0: the picture. 1: the prompt.")
        ] = 0.64
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 15.0
        inverter: Annotated[str, INVERSION] = "edit-friendly"
        steps: Annotated[int, Steps(2, 100, "Steps")] = 100
        source_guidance: Annotated[
            float,
            SourceGuidance(
                1,
                20,
                "Source guidance",
                step=0.5,
                help="Of the way back to noise; never more than the guidance of the edit.",
            ),
        ] = 3.5

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        return (yield from edit.run(_OwnSourceGuidance(edit, task.params)))


class _OwnSourceGuidance(EditVariation):
    """The plain edit with a guidance scale of its own for the source."""

    def __init__(self, edit: PromptEdit, params: InvertAndEdit.Params) -> None:
        super().__init__(edit)
        self.params = params

    def scales(self) -> list[float]:
        params = self.params
        return [min(params.source_guidance, params.guidance), params.guidance]
