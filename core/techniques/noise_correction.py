"""Noise correction: the source's own noise, plus the change by a prompt between old and new."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.model import Conditioning, Denoise, Image, Level, Model, Prediction, Step
from core.editing.inversion import Branches, select_rows
from core.editing.prompt_edit import (
    SOURCE,
    TARGET,
    EditParams,
    EditStep,
    EditVariation,
    PromptEdit,
)
from core.editing.token_alignment import align_tokens
from core.params import Guidance, NegativePrompt, Range

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task


@techniques.register
class NoiseCorrection:
    """Slide from the old words to the new ones, keep what neither means
    (Noise Correction via Prompt Interpolation, arXiv 2409.08077).

    In the first steps the edit's noise is the source's noise plus a share of the guidance from the
    source prompt to embeddings between it and the prompt. Later steps are plain guidance.
    """

    id: ClassVar[str] = "noise-correction"
    label: ClassVar[str] = "Slide to new words"
    paper: ClassVar[Paper | None] = Paper("Noise Correction via Prompt Interpolation", "2409.08077")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.5)] = 5.0
        negative_prompt: Annotated[
            str, NegativePrompt("Negative prompt", help="Empty: the words of the picture.")
        ] = ""
        corrected: Annotated[
            float, Range(0, 1, "Correction", step=0.05, help="Share of the steps that keep more.")
        ] = 0.5
        correction: Annotated[
            float, Range(0, 1, "Correction guidance", step=0.05, help="Share of the guidance.")
        ] = 0.2
        first_words: Annotated[
            float, Range(0, 1, "Words begin at", step=0.05, help="0: the picture's. 1: the new.")
        ] = 0.8

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = PromptEdit(task, model)
        return (yield from edit.run(_Corrected(edit, task.params)))


class _Corrected(EditVariation):
    """Corrects the source's noise early, guides as usual late."""

    def __init__(self, edit: PromptEdit, params: NoiseCorrection.Params) -> None:
        super().__init__(edit)
        self.params = params
        self.pieces = [edit.model.pieces(p) for p in (params.source_prompt, params.prompt)]

    def scales(self) -> list[float]:
        return [1.0, self.params.guidance]

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        model, embeddings, params = step.branches.model, step.branches.embeddings, self.params
        source = select_rows(embeddings, [SOURCE])
        until = params.corrected * step.count
        if step.index >= until:
            negative = step.branches.negative if params.negative_prompt.strip() else source
            return Branches(model, embeddings, (1.0, params.guidance), negative)
        share = params.first_words + (1 - params.first_words) * min(1, (step.index + 1) / until)
        three = self.interpolate(embeddings, share).concatenate(source)
        branches = Branches(model, three, (1.0,) * 3, source)
        return _correct_noise(branches, params.correction * params.guidance)

    def interpolate(self, embeddings: Conditioning, share: float) -> Conditioning:
        """The target's tokens on the way from those of the source; added ones are there at once."""
        tokens = embeddings.tokens.clone()
        for here, there in enumerate(self._counterparts(tokens.shape[1])):
            if there >= 0:
                tokens[TARGET, here] = tokens[SOURCE, there].lerp(tokens[TARGET, here], share)
        if embeddings.pooled is None:
            return replace(embeddings, tokens=tokens)
        pooled = embeddings.pooled.clone()
        pooled[TARGET] = pooled[SOURCE].lerp(pooled[TARGET], share)
        return replace(embeddings, tokens=tokens, pooled=pooled)

    def _counterparts(self, length: int) -> list[int]:
        """For every token of the target its index in the source, fillers included."""
        source, target = self.pieces
        indices = align_tokens(source, target, swaps=True)[:length]
        fillers = range(len(source), len(source) + length - len(indices))
        return [min(index, length - 1) for index in (*indices, *fillers)]


def _correct_noise(branches: Branches, scale: float) -> Denoise:
    """The source, and the source's noise plus the difference that the second prompt makes."""
    import torch

    def corrected(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
        x0, eps = branches(z[[SOURCE, TARGET, TARGET]], level, label)
        # At pure noise the branches are still one, and nothing is apart.
        apart = (z[TARGET:] - z[:TARGET]) / max(level.signal, 1e-6)
        target_x0 = x0[:1] + apart + scale * (x0[1:2] - x0[2:])
        target_eps = eps[:1] + scale * (eps[1:2] - eps[2:])
        return Prediction(torch.cat([x0[:1], target_x0]), torch.cat([eps[:1], target_eps]))

    return corrected
