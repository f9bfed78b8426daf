"""SuperDiff of two models: against closed forms, against one model, and what it costs."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.cross_model import at_levels_of_another
from core.diffusion.model import Conditioning, KnownRegion, Level, Levels, Prediction
from core.editing.inversion import invertible_levels
from core.errors import TechniqueError
from core.models.opening import open_model
from core.models.toy import VARIANCE, Toy, colour_of
from core.techniques.superdiff import Blend, StepChange, SuperDiff, join_denoisers
from tests.core.inverting import kept, result, task
from tests.core.relatives import relatives, stranger

FIELDS = 768
"""Latent values of the Gaussians below."""


class Straight(Toy):
    """The toy on straight paths, its Gaussians as wide as one likes; a foreign label is a bug."""

    def __init__(self, variance: float = VARIANCE) -> None:
        super().__init__()
        self.variance = variance
        self.identity = f"straight-{variance}"

    def levels(self, steps: int) -> Levels:
        return tuple(
            Level(i / steps, 1 - i / steps, 500 * (1 - i / steps)) for i in range(steps + 1)
        )

    def predict(
        self,
        z: torch.Tensor,
        level: Level,
        label: Level,
        embeddings: Conditioning,
        known: KnownRegion | None,
    ) -> Prediction:
        assert level.signal + level.noise == pytest.approx(1)
        assert label.time == pytest.approx(500 * level.noise)
        mean = embeddings.tokens[:, 0, :].repeat_interleave(64, 1)[:, :, None, None]
        away = z - level.signal * mean
        spread = level.signal**2 * self.variance + level.noise**2
        x0 = mean + level.signal * self.variance / spread * away
        return Prediction(x0, level.noise / spread * away)


def given(other: Any = None, **changes: Any) -> Any:
    """A task that names another model as its second."""
    values = {"prompt": "a cat", "second_prompt": "a dog", "steps": 8, **changes}
    if other is None:
        return task(SuperDiff, 1, **values)
    named = task(SuperDiff, 1, second_model="another", **values)
    return replace(named, models={"second_model": other})


def renamed(model: Any) -> Any:
    """The same network under another name, so that it is taken for another one."""

    class Renamed:
        identity = "renamed"

        def __getattr__(self, name: str) -> Any:
            return getattr(model, name)

    return Renamed()


@pytest.mark.parametrize("guidance", [1.0, 5.0])
@pytest.mark.parametrize("mode", ["and", "or"])
def test_the_same_gaussian_on_another_schedule_is_the_same_model(
    mode: str, guidance: float
) -> None:
    values = {"mode": mode, "guidance": guidance, "negative_prompt": "mud", "bias": 3.0}
    toy, straight = open_model("toy"), Straight()
    one = result(SuperDiff, toy, given(**values))
    assert np.allclose(result(SuperDiff, toy, given(straight, **values)), one, atol=1e-3)
    one = result(SuperDiff, straight, given(**values))
    assert np.allclose(result(SuperDiff, straight, given(toy, **values)), one, atol=1e-3)


def log_density(y: torch.Tensor, sigma: float, prompt: str, variance: float) -> float:
    """Of a Gaussian under noise, but for what is the same for all of them."""
    middle = torch.tensor(colour_of(prompt)).repeat_interleave(64)[None, :, None, None]
    spread = variance + sigma**2
    square = float(((y - middle) ** 2).sum())
    return -square / (2 * spread) - FIELDS / 2 * math.log(spread)


class Gaussians:
    """Two models, each exact for a Gaussian of its own middle and width, walked together."""

    prompts, variances = ("red", "blue"), (VARIANCE, 0.4)

    def __init__(self, steps: int, **values: Any) -> None:
        toy, wide = open_model("toy"), Straight(self.variances[1])
        self.levels = invertible_levels(toy.levels(steps))[:-1]
        theirs = wide.denoiser(wide.embed([self.prompts[1], ""]))
        self.predict = join_denoisers(
            toy.denoiser(toy.embed([self.prompts[0], ""])),
            at_levels_of_another(wide, theirs, steps),
        )
        self.blend = Blend(SuperDiff.Params(guidance=1.0, **values), torch.ones(1, 1, 2, 2), steps)
        self.generator = torch.Generator().manual_seed(2)

    def grown(self, share: float | None = None) -> tuple[list[float], list[float]]:
        """By how much both log-densities grew along a walk: in truth, and as estimated."""
        sigmas = [level.noise / level.signal for level in self.levels]
        y = torch.randn(1, 192, 2, 2, generator=self.generator) * sigmas[0]
        start = self._true(y, sigmas[0])
        for here, there in zip(self.levels, self.levels[1:], strict=False):
            fresh = torch.randn(y.shape, generator=self.generator)
            rows, move = (
                self.predict(here.signal * y, here),
                StepChange.from_levels(here, there, fresh),
            )
            even = None if share is None else rows[1:2].lerp(rows[:1], share)
            change = move.along(self.blend.mix(rows, move) if even is None else even)
            self.blend.follow(rows, move, change)
            y = y + change
        end = self._true(y, sigmas[-1])
        return [b - a for a, b in zip(start, end, strict=True)], self.blend.densities.tolist()

    def _true(self, y: torch.Tensor, sigma: float) -> list[float]:
        pairs = zip(self.prompts, self.variances, strict=True)
        return [log_density(y, sigma, prompt, variance) for prompt, variance in pairs]


def test_the_density_estimates_of_both_models_near_the_truth_with_the_steps() -> None:
    errors = []
    for steps in (50, 200, 800):
        true, found = Gaussians(steps, mode="or").grown(share=0.5)
        errors.append(max(abs(b - a) / abs(a) for a, b in zip(true, found, strict=True)))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.04


def test_and_lets_two_gaussians_densities_truly_grow_alike() -> None:
    coarse, fine = (Gaussians(steps, mode="and").grown()[0] for steps in (50, 800))
    alone, _ = Gaussians(800, mode="and").grown(share=1.0)
    assert abs(fine[0] - fine[1]) < abs(coarse[0] - coarse[1]) / 4
    assert abs(fine[0] - fine[1]) < 0.05 * abs(alone[0] - alone[1])


def rows_of_two_models() -> torch.Tensor:
    """Rows whose guided models differ at right angles to c1 - c2."""
    first, second, one, two = torch.randn(
        4, 1, 16, 8, 8, generator=torch.Generator().manual_seed(1)
    )
    across, scale = first - second, 7.5
    apart = one - two
    apart -= (apart * across).sum() / across.square().sum() * across
    two = one - apart - scale / (scale - 1) * across
    return torch.cat([first, second, one, two])


def test_and_is_the_least_change_of_the_mean_with_which_both_grow_alike() -> None:
    rows, mask = rows_of_two_models(), torch.ones(1, 1, 8, 8)
    first, second, one, two = (rows[row : row + 1] for row in range(4))
    guided = [uncond + 7.5 * (c - uncond) for c, uncond in ((first, one), (second, two))]
    across = first - second
    assert float(((guided[0] - guided[1]) * across).sum()) == pytest.approx(0, abs=1e-1)
    blend = Blend(SuperDiff.Params(guidance=7.5), mask, 8)
    move = StepChange(
        2.0, 0.3, torch.randn(first.shape, generator=torch.Generator().manual_seed(2))
    )
    eps = blend.mix(rows, move)
    gains = move.gain(rows[:2], move.along(eps), mask)
    assert float(gains[0]) == pytest.approx(float(gains[1]), rel=1e-4)
    moved = eps - (guided[0] + guided[1]) / 2
    along = float((moved * across).sum() / (moved.norm() * across.norm()))
    assert abs(along) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("bias", "own"), [(1000.0, 0), (-1000.0, 1)])
def test_or_with_a_bias_is_one_model_alone_with_its_own_guidance(bias: float, own: int) -> None:
    pair = relatives()
    words = {"mode": "or", "sharpness": 10.0, "negative_prompt": "mud"}
    found = result(SuperDiff, pair[0], given(pair[1], bias=bias, **words))
    prompt = ("a cat", "a dog")[own]
    alone = given(prompt=prompt, second_prompt=prompt, **words)
    assert np.allclose(found, result(SuperDiff, pair[own], alone), atol=1e-3)
    assert not np.allclose(found, result(SuperDiff, pair[1 - own], alone), atol=1e-2)


@pytest.mark.parametrize("mode", ["and", "or"])
def test_the_same_model_named_twice_is_the_one_model(mode: str) -> None:
    model = relatives()[0]
    one, calls = result(SuperDiff, model, given(mode=mode)), model.calls
    assert np.array_equal(result(SuperDiff, model, given(model, mode=mode)), one)
    assert model.calls - calls == 7
    twice = result(SuperDiff, model, given(renamed(model), mode=mode))
    assert np.allclose(twice, one, atol=1e-3)


def test_without_a_second_prompt_both_models_get_the_first() -> None:
    one, two = relatives()
    silent = result(SuperDiff, one, given(two, second_prompt=" "))
    assert np.array_equal(silent, result(SuperDiff, one, given(two, second_prompt="a cat")))
    assert not np.allclose(silent, result(SuperDiff, one, given(two)), atol=1e-3)


def test_another_model_paints_something_else() -> None:
    one, two = relatives()
    both = result(SuperDiff, one, given(two, second_prompt="a cat"))
    for model in (one, two):
        alone = result(SuperDiff, model, given(second_prompt="a cat"))
        assert not np.allclose(both, alone, atol=1e-2)


def test_two_models_cost_two_forwards_each() -> None:
    """Guided pairs, against three forwards for two prompts of one model; as many steps."""
    one, two = relatives()
    seen: list[int] = []
    hooks = [
        model.unet.register_forward_pre_hook(lambda _, shown: seen.append(len(shown[0])))
        for model in (one, two)
    ]
    calls = one.calls, two.calls
    result(SuperDiff, one, given(two, steps=21))
    for hook in hooks:
        hook.remove()
    assert seen == [2] * 40
    assert (one.calls - calls[0], two.calls - calls[1]) == (20, 20)


def test_strength_nought_asks_nobody() -> None:
    one, two = relatives()
    nought, calls = given(two, strength=0.0), one.calls + two.calls
    assert np.array_equal(result(SuperDiff, one, nought), kept(one, nought))
    assert one.calls + two.calls == calls


def test_outside_the_mask_the_picture_stays() -> None:
    one, two = relatives()
    edit = given(two)
    edit.mask[:] = 0
    assert np.allclose(result(SuperDiff, one, edit), kept(one, edit), atol=1e-6)


def test_a_model_of_another_kind_is_refused_before_the_first_call() -> None:
    one, _ = relatives()
    calls = one.calls
    with pytest.raises(TechniqueError, match="it has another autoencoder"):
        result(SuperDiff, one, given(stranger()))
    assert one.calls == calls
