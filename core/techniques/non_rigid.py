"""Non-rigid editing: embeddings fitted to the picture, used once its layout is settled."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core.catalog import Paper, techniques
from core.diffusion.latent_masks import check_finite, number_steps
from core.diffusion.model import Conditioning, Image, Levels, Model, Step
from core.diffusion.noise_schedule import full_schedule
from core.editing.inversion import PathState, invertible_levels
from core.editing.prompt_edit import TARGET, EditParams, EditStep, EditVariation, PromptEdit, Walk
from core.params import Range

if TYPE_CHECKING:
    from torch import Tensor

    from core.task import Task

RATE = 0.001
"""Adam's learning rate when embeddings are fitted, as published."""


@techniques.register
class NonRigid:
    """Change pose and motion, keep who and where it is (Latent Inversion with Timestep-aware
    Sampling for Training-free Non-rigid Editing, arXiv 2402.08601).

    The prompt's embedding is first fitted to the picture. The first steps go with the source's
    words, so the edit is the source; the others go with words between fitted and as written.
    """

    id: ClassVar[str] = "non-rigid"
    label: ClassVar[str] = "Change motion"
    paper: ClassVar[Paper | None] = Paper(
        "Latent Inversion with Timestep-aware Sampling for Training-free Non-rigid Editing",
        "2402.08601",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"gradient"})
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params(EditParams):
        source_share: Annotated[
            float, Range(0, 1, "Source kept", step=0.05, help="First share of the steps.")
        ] = 0.4
        as_written: Annotated[
            float,
            Range(0, 1, "Words as written", step=0.05, help="0: fitted to the picture. 1: not."),
        ] = 0.3
        fitting: Annotated[
            int, Range(0, 20, "Fitting", help="Rounds of fitting the words, for every step.")
        ] = 4

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        edit, params = PromptEdit(task, model), task.params
        rounds, key = params.fitting * edit.count, _key(task, model)
        fresh = rounds if key not in model.cache else 0
        if fresh:
            total = fresh + edit.total(params.guidance)
            fit = number_steps(optimise_embeddings(task, model, edit.x0, rounds), total)
            model.cache.put(key, (yield from fit))
        embeddings = edit.prompt_embeddings()
        if rounds:
            fitted = model.cache.get(key, lambda: None)
            embeddings = mix_embeddings(embeddings, fitted, params.as_written)
        variation = _LateEdit(edit, embeddings, params.source_share)
        return (yield from _count_on(edit.run(variation), fresh))


class _LateEdit(EditVariation):
    """The edit is the source in the first share of the steps."""

    def __init__(self, edit: PromptEdit, embeddings: Conditioning, source_share: float) -> None:
        super().__init__(edit)
        self._embeddings = embeddings
        self.source_share = source_share

    def embeddings(self) -> Conditioning:
        return self._embeddings

    def after(self, step: EditStep, state: PathState) -> PathState:
        is_source = step.index < self.source_share * step.count
        return copy_source(state) if is_source else state


def _key(task: "Task[NonRigid.Params]", model: Model) -> tuple[Any, ...]:
    """What the fitted embeddings depend on."""
    params = task.params
    rounds = (params.fitting, params.steps, params.strength)
    return ("fit", model.identity, task.image_key, params.prompt, *rounds, task.seed, task.origin)


def optimise_embeddings(
    task: "Task[NonRigid.Params]", model: Model, x0: "Tensor", rounds: int
) -> Walk:
    """Fit the prompt's tokens, so that under them the network predicts the picture.

    x0: (1, c, h, w) float, unbounded. Yields clean latents like it, returns (1, length, width).
    """
    import torch
    from torch.nn.functional import mse_loss

    embeddings = model.embed([task.params.prompt])
    tokens = embeddings.tokens.detach().clone().requires_grad_()
    denoise = check_finite(model.denoiser(replace(embeddings, tokens=tokens)))
    adam = torch.optim.Adam([tokens], lr=RATE)
    for n, level in enumerate(_draw_levels(task, model, x0, rounds)):
        noise = task.noise(x0, "fit", n)
        with torch.enable_grad():
            prediction = denoise(level.mix(x0, noise), level)
            adam.zero_grad()
            mse_loss(prediction.eps, noise).backward()  # type: ignore[no-untyped-call]
        adam.step()
        yield prediction.x0.detach()
    return tokens.detach()


def _draw_levels(task: "Task[Any]", model: Model, x0: "Tensor", rounds: int) -> Levels:
    """Levels spread evenly over the schedule, in an order drawn by the seed."""
    levels = invertible_levels(full_schedule(model))[:-1]
    order = task.noise(x0.new_empty(1, 1, 1, rounds), "levels").flatten().argsort()
    return tuple(levels[(2 * rank + 1) * len(levels) // (2 * rounds)] for rank in order.tolist())


def mix_embeddings(embeddings: Conditioning, tokens: "Tensor", share: float) -> Conditioning:
    """The edit's tokens (row 1) become other ones, mixed with a share of what they were.

    embeddings: tokens (2, length, width) float, unbounded; tokens: (1, length, width) alike.
    """
    import torch

    source, target = embeddings.tokens[:TARGET], embeddings.tokens[TARGET:]
    return replace(embeddings, tokens=torch.cat([source, tokens.lerp(target, share)]))


def copy_source(state: PathState) -> PathState:
    """Put every branch where the source is. (branches, c, h, w) float, unbounded, to the same."""
    return tuple(part[:1].repeat(len(part), 1, 1, 1) for part in state)


def _count_on(run: Generator[Step, None, Image], before: int) -> Generator[Step, None, Image]:
    """A run whose steps are numbered after those before it."""
    with closing(run):
        while True:
            try:
                step = next(run)
            except StopIteration as end:
                image: Image = end.value
                return image
            yield step._replace(n=step.n + before, of=step.of + before)
