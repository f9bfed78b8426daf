"""InfEdit: edits without an inversion, by noise that is known to lead back to the picture."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import numpy.typing as npt

from core.catalog import Paper, techniques
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.diffusion.guidance import guide_prediction
from core.diffusion.latent_masks import check_finite, last_steps, number_steps, soft_latent_mask
from core.diffusion.model import Image, Level, Model, Prediction, Step
from core.editing.attention_maps import (
    AttentionMapCollector,
    MapExchange,
    latent_size,
    map_to_grid,
    resize_map,
)
from core.editing.inversion import invertible_levels, select_rows
from core.editing.prompt_warnings import warn_about_prompt
from core.editing.token_alignment import (
    exchange_weights,
    find_differing_tokens,
    replaced_runs,
    token_indices,
)
from core.params import (
    Guidance,
    NegativePrompt,
    Prompt,
    Range,
    SourceGuidance,
    SourcePrompt,
    Steps,
    Strength,
    Switch,
    Text,
)

if TYPE_CHECKING:
    from torch import Tensor

    from core.editing.prompt_edit import Walk
    from core.task import Task

SOURCE, TARGET, LAYOUT, BRANCHES = 0, 1, 2, 3
"""The layout branch has the source's prompt; it gives the source's appearance to the new shape."""
LEAST_EDIT = 0.15
"""The edit threshold is at least this divided by the level's signal."""


@techniques.register
class InfEdit:
    """Edit in a few steps, without tracing the picture back (InfEdit, arXiv 2312.04965).

    The source is noised, never inverted; the edit moves by the difference between its prediction
    and the source's. A third branch first keeps the source's layout, then passes the source's
    appearance on to the edit. Of words that replace others the pair whose embeddings are most alike
    is exchanged, as in the authors' code, which though compares them at swapped positions. There is
    no local blend after the last step.
    """

    id: ClassVar[str] = "infedit"
    label: ClassVar[str] = "Edit in few steps"
    paper: ClassVar[Paper | None] = Paper("InfEdit", "2312.04965")
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("It should show", lines=2)] = ""
        source_prompt: Annotated[str, SourcePrompt("Picture shows", help="What is there now.")] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="0: the picture. 1: the prompt.")
        ] = 1.0
        guidance: Annotated[float, Guidance(1, 20, "Guidance scale", step=0.1)] = 2.3
        source_guidance: Annotated[float, SourceGuidance(1, 20, "Source guidance", step=0.1)] = 1.0
        negative_prompt: Annotated[str, NegativePrompt("Negative prompt")] = ""
        cross_replace: Annotated[float, Range(0, 1, "Words kept", step=0.05)] = 0.7
        self_replace: Annotated[float, Range(0, 1, "Layout kept", step=0.05)] = 0.7
        fresh: Annotated[
            float, Range(0, 1, "Fresh noise", step=0.05, help="Share drawn anew at every step.")
        ] = 1.0
        local_blend: Annotated[
            bool, Switch("Only where the words look", help="Keep the rest of the picture.")
        ] = True
        edited_words: Annotated[
            str, Text("Words edited", help="Of the prompt; empty: those that are new.")
        ] = ""
        kept_words: Annotated[str, Text("Words kept as they are", help="In both prompts.")] = ""
        edit_threshold: Annotated[float, Range(0, 1, "Edit threshold", step=0.05)] = 0.55
        keep_threshold: Annotated[float, Range(0, 1, "Keep threshold", step=0.05)] = 0.6
        steps: Annotated[int, Steps(2, 100, "Steps")] = 12

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit = _Edit(task, model)
        if not edit.count:
            return model.decode(edit.x0)
        warn_about_prompt(task, model, edit.x0)
        return model.decode((yield from number_steps(edit.walk(), edit.count)))


class _Edit:
    """The walk of one picture, its three branches side by side."""

    def __init__(self, task: "Task[InfEdit.Params]", model: Model) -> None:
        self.task, self.model, self.params = task, model, task.params
        self.x0 = model.encode(task.image)
        whole = invertible_levels(model.levels(self.params.steps))
        self.levels = last_steps(whole, self.params.strength)
        self.count = len(self.levels) - 1
        self.skipped = len(whole) - len(self.levels)
        self.mask = soft_latent_mask(task.mask, self.x0)
        self.unified = UnifiedAttention(self.params, model, self.x0, len(whole) - 1)
        embeddings = model.embed([self.params.source_prompt, self.params.prompt])
        self.embeddings = select_rows(embeddings, [SOURCE, TARGET, SOURCE])
        self.negative = select_rows(model.embed([self.params.negative_prompt]), [0] * BRANCHES)

    def walk(self) -> "Walk":
        z = self.levels[0].mix(self.x0, self._noise(0)).repeat(BRANCHES, 1, 1, 1)
        for i in range(self.count):
            self.unified.at = self.skipped + i
            prediction = self._predict(z, self.levels[i])
            there = self.levels[i + 1] if i + 1 < self.count else Level(1.0, 0.0, 0.0)
            z = self._step(z, prediction, self.levels[i], there, self._noise(i + 1))
            if self.params.local_blend and 0 < i < self.count - 1:
                z = self.unified.blend(z, self.levels[i])
            z = z[:1].lerp(z, self.mask)
            yield self.x0 + (prediction.x0[TARGET:LAYOUT] - prediction.x0[:TARGET])
        return z[TARGET:LAYOUT]

    def _noise(self, i: int) -> "Tensor":
        """Fresh noise, the same at a level whatever the strength."""
        return self.task.noise(self.x0, "infedit", self.skipped + i)

    def _predict(self, z: "Tensor", level: Level) -> Prediction:
        """The guided prediction for every branch; all have an unconditional row, or none."""
        import torch

        params, embeddings = self.params, self.embeddings
        scales = (params.source_guidance, params.guidance, params.source_guidance)
        guided = any(scale != 1 for scale in scales)
        if guided:
            z, embeddings = torch.cat([z, z]), embeddings.concatenate(self.negative)
        with self.model.attention(self.unified):
            prediction = check_finite(self.model.denoiser(embeddings))(z, level)
        if not guided:
            return prediction
        scale = z.new_tensor(scales)[:, None, None, None]
        halves = zip(prediction.x0.chunk(2), prediction.eps.chunk(2), strict=True)
        cond, uncond = (Prediction(*half) for half in halves)
        return guide_prediction(uncond, cond, scale)

    def _step(
        self, z: "Tensor", prediction: Prediction, here: Level, there: Level, noise: "Tensor"
    ) -> "Tensor":
        """The consistent step (DDCM): the source stays a noised picture at every prediction."""
        consistent = (z[:TARGET] - here.signal * self.x0) / here.noise
        fresh = self.params.fresh
        known = consistent + (prediction.eps - prediction.eps[:TARGET])
        eps = (1 - fresh) ** 0.5 * known + fresh**0.5 * noise
        return there.mix(self.x0 + (prediction.x0 - prediction.x0[:TARGET]), eps)


class UnifiedAttention:
    """Unified attention control: layout and words of the source for the edit, then the reverse.

    ``at`` is the step of the whole walk, of ``count`` in all. In a guided walk the three branches
    come twice, conditional and unconditional.
    """

    def __init__(self, params: InfEdit.Params, model: Model, x0: "Tensor", count: int) -> None:
        self.params, self.count, self.at = params, count, 0
        self.cells = latent_size(x0)
        source, target = model.pieces(params.source_prompt), model.pieces(params.prompt)
        tokens = model.embed([params.source_prompt, params.prompt]).tokens
        self.pairs = most_alike(tokens, replaced_runs(source, target))
        self.exchange = MapExchange(lambda length: self._weights(source, target, length))
        new = find_differing_tokens(source, target)[1]
        words = model.pieces(params.edited_words)
        gone = token_indices(source, words)
        edited = [here for there, here in self.pairs if there in gone]
        edited = sorted({*token_indices(target, words), *edited})
        self.edited = edited if params.edited_words.strip() else new
        kept = token_indices(target, model.pieces(params.kept_words))
        self.kept = [place for place in kept if place not in self.edited]
        self.both = [place for place in kept if place in self.edited]
        self.collector = AttentionMapCollector(cells=self.cells)

    def _weights(
        self, source: Sequence[str], target: Sequence[str], length: int
    ) -> npt.NDArray[np.float32]:
        """Shared tokens and padding, and one pair of tokens of every run that replaces another."""
        weights = exchange_weights(source, target, length)
        for there, here in self.pairs:
            weights[there, here] = 1
        return weights

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        if place.is_cross:
            return query, key, value
        is_early = self.at + 1 < self.params.self_replace * self.count
        queries = (SOURCE, SOURCE, SOURCE) if is_early else (SOURCE, TARGET, TARGET)
        keys = (SOURCE, SOURCE, SOURCE) if is_early else (SOURCE, TARGET, SOURCE)
        return _from(query, queries), _from(key, keys), _from(value, (SOURCE, TARGET, SOURCE))

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        import torch

        if not place.is_cross:
            return maps
        layout = self.exchange(maps[TARGET], maps[LAYOUT])
        if self.collector.is_wanted(place, maps.shape[-2]):
            source = self.exchange(maps[TARGET], maps[SOURCE])
            self.collector.add(place, torch.stack([source, layout]))
        if self.at + 1 > self.params.cross_replace * self.count:
            return maps
        changed = maps.clone()
        changed[TARGET] = layout
        return changed

    def blend(self, z: "Tensor", level: Level) -> "Tensor":
        """The edit where edited words are, the source where kept ones are, else the layout.

        z: (3, c, h, w) float, unbounded. Returns the same shape and dtype.
        """
        import torch

        if not self.collector.collected:
            return z
        source, target, layout = z[:TARGET], z[TARGET:LAYOUT], z[LAYOUT:]
        params = self.params
        if self.edited:
            threshold = max(params.edit_threshold, LEAST_EDIT / level.signal)
            target = target.where(self._where(1, self.edited, threshold), layout)
        if self.kept:
            target = source.where(self._where(0, self.kept, params.keep_threshold), target)
        if self.both and self.at + 2 == self.count:
            target = layout.where(self._where(1, self.both, params.edit_threshold), target)
        return torch.cat([source, target, layout])

    def _where(self, branch: int, tokens: Sequence[int], threshold: float) -> "Tensor":
        """Where any of some tokens is attended to by more than a share of the most (h, w)."""
        maps = self.collector.mean()[branch]
        inside = [token for token in tokens if token < maps.shape[-1]]
        most = resize_map(map_to_grid(maps[:, inside].amax(-1), self.cells), self.cells)
        return most > threshold * most.amax()


def most_alike(tokens: "Tensor", runs: Sequence[tuple[range, range]]) -> list[tuple[int, int]]:
    """For every run of tokens that another replaces the pair of indices that are most alike.

    tokens: the embeddings of source and target, (2, length, width) float, unbounded; alike by the
    cosine. runs: indices in the source, and in the target.
    """
    from torch.nn.functional import normalize

    pairs: list[tuple[int, int]] = []
    for gone, new in runs:
        old, young = ([index for index in run if index < tokens.shape[1]] for run in (gone, new))
        if old and young:
            alike = normalize(tokens[0, old], dim=-1) @ normalize(tokens[1, young], dim=-1).mT
            there, here = divmod(int(alike.argmax()), len(young))
            pairs.append((old[there], young[here]))
    return pairs


def _from(states: "Tensor", branches: Sequence[int]) -> "Tensor":
    """Every branch's states from another branch, in each half of the network's rows."""
    firsts = range(0, states.shape[0], BRANCHES)
    return states[[first + branch for first in firsts for branch in branches]]
