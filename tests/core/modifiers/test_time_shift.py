"""Time shift: which level the network is told, and when it is the usual one."""

from typing import Any

import pytest
import torch

from core.diffusion.model import Conditioning, Denoise, Level, Model, Prediction
from core.diffusion.noise_schedule import full_schedule
from core.diffusion.samplers import ddim
from core.modifiers.time_shift import TimeShift, variance
from core.modifiers.wrapping import wrap_model
from core.task import ModifierSetting
from tests.core.inverting import network

STEPS = 10


class Listening:
    """A network that remembers what it is told and sees a content of given variance."""

    def __init__(self, content: float) -> None:
        self.told: list[Level | None] = []
        self.seen = content**0.5 * noise(9)

    def make(self, words: Conditioning) -> Denoise:
        def denoise(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
            self.told.append(label)
            return Prediction(self.seen, z)

        return denoise


def noise(seed: int) -> torch.Tensor:
    """Of a variance of exactly one."""
    drawn = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(seed))
    return (drawn - drawn.mean()) / drawn.std()


def told(model: Model, z: torch.Tensor, content: float = 0.0, **changes: Any) -> Level | None:
    """The label at the second step of a walk."""
    listening = Listening(content)
    shift = TimeShift(TimeShift.Params(**changes))
    denoise = shift.wrap(listening.make, model)(model.embed(["cat"]))
    before, here = model.levels(STEPS)[3:5]
    denoise(z, before)
    denoise(z, here)
    first, second = listening.told
    assert first is None
    return second


def test_the_level_with_as_much_noise_is_told() -> None:
    model = network()
    fine, here = full_schedule(model), model.levels(STEPS)[4]
    wanted = fine[fine.index(here) + 10]
    assert told(model, wanted.noise * noise(1), measure="whole") == wanted
    clean = here.signal**2 * 0.5
    with_picture = (wanted.noise**2 + clean) ** 0.5 * noise(1)
    assert told(model, with_picture, content=0.5) == wanted


def test_the_window_bounds_the_shift_on_both_sides() -> None:
    model = network()
    fine, here = full_schedule(model), model.levels(STEPS)[4]
    at = fine.index(here)
    assert told(model, 9 * noise(1), window=40) == fine[at - 20]
    assert told(model, 0.01 * noise(1), window=40) == fine[at + 20]


@pytest.mark.parametrize("changes", [{"window": 0}, {"cutoff": 1000}, {"cutoff": 600}])
def test_no_window_or_late_is_no_shift(changes: dict[str, int]) -> None:
    assert told(network(), 9 * noise(1), **changes) is None


def test_the_right_amount_is_no_shift() -> None:
    here = network().levels(STEPS)[4]
    assert told(network(), here.noise * noise(1)) is None


@pytest.mark.parametrize("measure", ["apart", "whole"])
def test_no_window_is_the_plain_walk_bit_for_bit(measure: str) -> None:
    model = network()
    found = [
        walked(each)
        for each in (
            model,
            wrap_model(model, [ModifierSetting("time-shift", {"window": 0, "measure": measure})]),
            wrap_model(model, [ModifierSetting("time-shift", {"window": 100, "measure": measure})]),
        )
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.allclose(found[0], found[2], atol=1e-3)


def test_a_second_walk_knows_nothing_of_the_first() -> None:
    model, listening = network(), Listening(0.0)
    denoise = TimeShift(TimeShift.Params()).wrap(listening.make, model)(model.embed(["cat"]))
    for level in (*model.levels(STEPS)[3:6], *model.levels(STEPS)[3:6]):
        denoise(9 * noise(1), level)
    first, second = listening.told[:3], listening.told[3:]
    assert first == second
    assert first[0] is None
    assert first[1] is not None


def test_a_walk_up_is_not_shifted() -> None:
    model, listening = network(), Listening(0.0)
    there, before, here = model.levels(STEPS)[2:5]
    denoise = TimeShift(TimeShift.Params()).wrap(listening.make, model)(model.embed(["cat"]))
    denoise(9 * noise(1), before)
    denoise(9 * noise(1), here, there)
    assert listening.told[1] == there


def test_the_variance_is_each_latents_own() -> None:
    two = torch.cat([2 * noise(1), 4 * noise(2) + 7])
    assert variance(two) == pytest.approx((4 + 16) / 2, rel=1e-5)


def walked(model: Model) -> torch.Tensor:
    walk = ddim(model.denoiser("cat"), noise(1), model.levels(STEPS))
    while True:
        try:
            next(walk)
        except StopIteration as end:
            found: torch.Tensor = end.value
            return found
