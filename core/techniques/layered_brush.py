"""Layered Diffusion Brushes: repaint a region from half-way down a cached path."""

import json
from collections.abc import Generator, Hashable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import check_finite, known_region, number_steps, soft_latent_mask
from core.diffusion.model import Denoise, Image, Model, Step
from core.editing.cached_trajectory import LayerLatent, Trajectory, Walk, merge_layers
from core.params import Choice, Depth, Prompt, Steps, Strength, Text

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

DEPTH_HELP = "How far back towards noise: low changes the texture, high the thing itself."
TAIL = 2
"""Steps at the end that run for the whole picture together, as published."""


@techniques.register
class LayeredBrush:
    """Repaint a region and keep its place (Layered Diffusion Brushes, arXiv 2405.00313).

    Offsets keep everything else from drifting, as in Direct Inversion (arXiv 2310.01506).
    """

    id: ClassVar[str] = "layered-brush"
    label: ClassVar[str] = "Diffusion brush"
    paper: ClassVar[Paper | None] = Paper("Layered Diffusion Brushes", "2405.00313")
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = True
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt("Prompt", lines=2)] = ""
        strength: Annotated[
            float, Strength(0, 1, "Strength", step=0.05, help="How much of the noise is new.")
        ] = 1.0
        depth: Annotated[float, Depth(0, 1, "Depth", step=0.05, help=DEPTH_HELP)] = 0.75
        steps: Annotated[int, Steps(TAIL + 2, 100, "Steps")] = 20
        base: Annotated[
            str,
            Choice(
                ("noise", "inversion"),
                "Starts from",
                help="Fresh noise is quick; the picture's own noise keeps more of it.",
                names=("Fresh noise", "The picture's own noise"),
            ),
        ] = "noise"
        base_prompt: Annotated[str, Text("Picture shows")] = ""

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        key = _key(task, model)
        path: Trajectory = model.cache.get(key, lambda: _path(task, model))
        stroke = _Stroke(task, model, path)
        try:
            with closing(stroke.walk()) as walk:
                z = yield from number_steps(walk, stroke.calls)
        finally:
            model.cache.put(key, path)
        return model.decode(z)


def _key(task: "Task[LayeredBrush.Params]", model: Model) -> Hashable:
    """Everything that decides the base path; the layer's seed, mask and prompt do not."""
    modifiers = json.dumps([asdict(m) for m in task.recipe.modifiers], sort_keys=True)
    params = task.params
    base = (params.steps, params.base, params.base_prompt, modifiers)
    return ("layered-brush", model.identity, task.image_key, task.origin, *base)


def _path(task: "Task[LayeredBrush.Params]", model: Model) -> Trajectory:
    levels, x0 = model.levels(task.params.steps), model.encode(task.image)
    if task.params.base == "inversion":
        return Trajectory.from_inversion(levels, x0)
    seedless = replace(task, recipe=replace(task.recipe, seed=0))
    return Trajectory.from_noise(levels, x0, seedless.noise(x0, "base"))


class _Stroke:
    """One run of the brush: which calls are needed, and the walk that makes them."""

    def __init__(self, task: "Task[LayeredBrush.Params]", model: Model, path: Trajectory) -> None:
        self.task, self.model, self.path = task, model, path
        self.last = len(path.levels) - 1
        self.merge = self.last - TAIL
        self.start = self.merge - round(task.params.depth * self.merge)
        self.mask = soft_latent_mask(task.mask, path.latents[self.last])

    @property
    def calls(self) -> int:
        """Depth + 2, and once per picture whatever of the base path is not known yet."""
        inversions = max(0, self.path.start - self.start)
        replays = len(self.path.missing_replays(self._first_replay))
        return inversions + replays + self.last - self.start

    @property
    def _first_replay(self) -> int:
        return self.start if self.task.params.strength < 1 else self.merge

    def walk(self) -> Walk:
        params, path = self.task.params, self.path
        base = check_finite(self.model.denoiser(params.base_prompt))
        yield from path.invert(base, self.start)
        if params.strength < 1:
            yield from path.replay(base, self.start)
        share = params.strength * self.mask
        noise = self.task.noise(path.latents[self.last], "stroke")
        z = path.exchange_noise(self.start, noise, share)
        span = range(self.start, self.merge)
        layer = yield from path.regenerate(self._layer(), z, span, self.mask, params.strength)
        yield from path.replay(base, self.merge)
        merged = merge_layers(path.latents[self.merge], [LayerLatent(self.mask, layer)])
        return (yield from path.finish(base, merged, self.merge, share))

    def _layer(self) -> Denoise:
        clean: Tensor = self.path.latents[self.last]
        known = known_region(self.model, self.mask, clean)
        return check_finite(self.model.denoiser(self.task.params.prompt, known))
